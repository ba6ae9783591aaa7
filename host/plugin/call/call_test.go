package call_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/wr-build/wr/host/cache"
	"github.com/wr-build/wr/host/plugin/call"
	"github.com/wr-build/wr/sdk/go/abi"
)

// granted are grants in the form of wr.lock.
type granted []string

func (g granted) Allow(c abi.Capability) *abi.Denied {
	if slices.Contains(g, c.String()) {
		return nil
	}
	return &abi.Denied{Capability: c.String(), Reason: "to test", Grant: "wr plugin grant lint " + c.String()}
}

// ask asks for something as a plugin does, and decodes the answer into what into points to.
func ask(t *testing.T, f *call.Functions, method string, params, into any) *abi.Error {
	t.Helper()
	data, err := json.Marshal(params)
	if err != nil {
		t.Fatal(err)
	}
	answer, failed := f.Handle(t.Context(), method, data)
	if failed != nil {
		return failed
	}
	if data, err = json.Marshal(answer); err == nil && into != nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		t.Fatal(err)
	}
	return nil
}

// wantCode fails unless e has that code; 0 = there is no error.
func wantCode(t *testing.T, e *abi.Error, code int) {
	t.Helper()
	switch {
	case e == nil && code != 0:
		t.Errorf("it was answered, want code %d", code)
	case e != nil && e.Code != code:
		t.Errorf("got %v, want code %d", e, code)
	}
}

func TestNothingIsDoneThatIsNotGranted(t *testing.T) {
	f := &call.Functions{
		Grants: granted{}, Project: "infra", Store: call.Kept{}, Secrets: &call.Secrets{},
		Exec: func(context.Context, abi.ExecParams) (abi.ExecResult, error) {
			t.Error("a process was started")
			return abi.ExecResult{}, nil
		},
		Git: func(context.Context) (abi.GitResult, error) {
			t.Error("git was asked")
			return abi.GitResult{}, nil
		},
		HTTP: call.NewClient(nil),
	}
	for _, c := range []struct {
		method, capability string
		params             any
	}{
		{abi.MethodExec, "exec:ruff", abi.ExecParams{Argv: []string{"ruff"}}},
		{abi.MethodExec, "exec:ruff", abi.ExecParams{Argv: []string{"ruff"}, Project: "infra"}},
		{abi.MethodExec, "exec:ruff@tools", abi.ExecParams{Argv: []string{"ruff"}, Project: "tools"}},
		{abi.MethodHTTP, "http:GET https://example.com", abi.HTTPParams{Method: "get", URL: "https://Example.com:443/x"}},
		{abi.MethodHTTP, "http:GET https://example.com:8443", abi.HTTPParams{Method: "GET", URL: "https://example.com:8443"}},
		{abi.MethodSecret, "secret:TOKEN", abi.SecretParams{Name: "TOKEN"}},
		{abi.MethodGit, "git", nil},
		{abi.MethodCacheGet, "cache", abi.CacheParams{Key: "a"}},
		{abi.MethodCachePut, "cache", abi.CacheParams{Key: "a"}},
	} {
		e := ask(t, f, c.method, c.params, nil)
		wantCode(t, e, abi.CodeDenied)
		var denied abi.Denied
		if err := json.Unmarshal(e.Data, &denied); err != nil {
			t.Fatal(err)
		}
		if want := (abi.Denied{Capability: c.capability, Reason: "to test", Grant: "wr plugin grant lint " + c.capability}); denied != want {
			t.Errorf("%s: got %+v, want %+v", c.method, denied, want)
		}
	}
}

func TestWhatIsNotToBeHadIsSaid(t *testing.T) {
	f := &call.Functions{Grants: granted{"exec:ruff", "http:GET https://example.com", "secret:A", "git", "cache"}}
	for method, params := range map[string]any{
		abi.MethodExec: abi.ExecParams{Argv: []string{"ruff"}}, abi.MethodHTTP: abi.HTTPParams{Method: "GET", URL: "https://example.com"},
		abi.MethodSecret: abi.SecretParams{Name: "A"}, abi.MethodGit: abi.Empty{}, abi.MethodHash: abi.HashParams{},
		abi.MethodCacheGet: abi.CacheParams{Key: "a"},
	} {
		wantCode(t, ask(t, f, method, params, nil), abi.CodeUnavailable)
	}
	wantCode(t, ask(t, f, "exec.host", nil, nil), abi.CodeMethodNotFound)
	if _, e := f.Handle(t.Context(), abi.MethodExec, []byte(`{"argv": "ruff"}`)); e == nil || e.Code != abi.CodeInvalidParams {
		t.Errorf("params of a wrong type: %v", e)
	}
}

func TestAProcessRunsInTheProjectOfTheRequest(t *testing.T) {
	var got abi.ExecParams
	f := &call.Functions{
		Grants: granted{"exec:ruff", "exec:mypy@tools"}, Project: "infra",
		Exec: func(_ context.Context, p abi.ExecParams) (abi.ExecResult, error) {
			got = p
			return abi.ExecResult{Exit: 7, Stdout: "out"}, nil
		},
	}
	var result abi.ExecResult
	wantCode(t, ask(t, f, abi.MethodExec, abi.ExecParams{Argv: []string{"ruff", "check"}, Cwd: "infra/src"}, &result), 0)
	if got.Project != "infra" || got.Cwd != "infra/src" || result.Exit != 7 || result.Stdout != "out" {
		t.Errorf("asked for %+v, got %+v", got, result)
	}
	wantCode(t, ask(t, f, abi.MethodExec, abi.ExecParams{Argv: []string{"mypy"}, Project: "tools"}, nil), 0)
	if got.Project != "tools" {
		t.Errorf("asked for %+v", got)
	}
	wantCode(t, ask(t, f, abi.MethodExec, abi.ExecParams{Argv: []string{"mypy"}}, nil), abi.CodeDenied)
	wantCode(t, ask(t, f, abi.MethodExec, abi.ExecParams{}, nil), abi.CodeInvalidParams)
	wantCode(t, ask(t, f, abi.MethodExec, abi.ExecParams{Argv: []string{"ruff"}, Cwd: "../x"}, nil), abi.CodeInvalidParams)
	wantCode(t, ask(t, f, abi.MethodExec, abi.ExecParams{Argv: []string{"ruff"}, Timeout: -1}, nil), abi.CodeInvalidParams)
}

func TestNoProcessRunsWhereItsContainerIsNotReady(t *testing.T) {
	var made []string
	f := &call.Functions{
		Grants: granted{"exec:ruff", "exec:mypy@tools"}, Project: "infra",
		Ready: func(_ context.Context, project string) error {
			made = append(made, project)
			if project == "tools" {
				return errors.New("the image cannot be built")
			}
			return nil
		},
		Exec: func(_ context.Context, p abi.ExecParams) (abi.ExecResult, error) {
			return abi.ExecResult{Stdout: p.Project}, nil
		},
	}
	wantCode(t, ask(t, f, abi.MethodExec, abi.ExecParams{Argv: []string{"ruff"}}, nil), 0)
	e := ask(t, f, abi.MethodExec, abi.ExecParams{Argv: []string{"mypy"}, Project: "tools"}, nil)
	if wantCode(t, e, abi.CodeUnavailable); e.Message != "the image cannot be built" || !slices.Equal(made, []string{"infra", "tools"}) {
		t.Errorf("got %v, after %q", e, made)
	}
	wantCode(t, ask(t, f, abi.MethodExec, abi.ExecParams{Argv: []string{"sh"}}, nil), abi.CodeDenied)
	if len(made) != 2 {
		t.Errorf("containers are made for what is denied: %q", made)
	}
}

func TestAProcessThatTakesTooLongIsALimit(t *testing.T) {
	f := &call.Functions{Grants: granted{"exec:sleep"}, Exec: func(ctx context.Context, _ abi.ExecParams) (abi.ExecResult, error) {
		<-ctx.Done()
		return abi.ExecResult{}, ctx.Err()
	}}
	e := ask(t, f, abi.MethodExec, abi.ExecParams{Argv: []string{"sleep", "9"}, Timeout: 1}, nil)
	if wantCode(t, e, abi.CodeLimit); e.Message != "sleep took longer than 1 ms" {
		t.Errorf("got %q", e.Message)
	}
}

func TestOutputThatFitsIntoNoMessageIsCut(t *testing.T) {
	for what, text := range map[string]string{
		"letters": strings.Repeat("x", 9<<20), "what JSON escapes": strings.Repeat("\x01<\n", 3<<20), "no text": strings.Repeat("\xff\xfe", 2<<20),
		"many bytes a character": strings.Repeat("\u20ac\U0001f600", 1<<20),
	} {
		f := &call.Functions{Grants: granted{"exec:cat"}, Exec: func(context.Context, abi.ExecParams) (abi.ExecResult, error) {
			return abi.ExecResult{Stdout: text, Stderr: text}, nil
		}}
		answer, failed := f.Handle(t.Context(), abi.MethodExec, []byte(`{"argv":["cat"]}`))
		line, err := json.Marshal(answer)
		r, ok := answer.(abi.ExecResult)
		if failed != nil || err != nil || !ok {
			t.Fatalf("%s: %v, %v", what, failed, err)
		}
		if size := len(line); size > abi.MaxLine-1000 || size < 4<<20 || !r.Truncated || !strings.HasPrefix(text, r.Stdout) {
			t.Errorf("%s: a message of %d bytes, cut %v", what, size, r.Truncated)
		}
	}
	short := &call.Functions{Grants: granted{"exec:cat"}, Exec: func(context.Context, abi.ExecParams) (abi.ExecResult, error) {
		return abi.ExecResult{Stdout: "a\nb", Truncated: false}, nil
	}}
	var r abi.ExecResult
	wantCode(t, ask(t, short, abi.MethodExec, abi.ExecParams{Argv: []string{"cat"}}, &r), 0)
	if r.Truncated || r.Stdout != "a\nb" {
		t.Errorf("got %+v", r)
	}
}

func TestGlobsThatAreNoneAreTheCallersMistake(t *testing.T) {
	f := &call.Functions{Hash: func(context.Context, []string) (map[string]string, error) { return nil, nil }}
	for glob, code := range map[string]int{"../x": abi.CodeInvalidParams, "/etc/passwd": abi.CodeInvalidParams, "**": 0} {
		var r map[string]any
		wantCode(t, ask(t, f, abi.MethodHash, abi.HashParams{Globs: []string{glob}}, &r), code)
		if code == 0 && r["files"] == nil {
			t.Errorf("no files are %v", r)
		}
	}
}

func TestTheEndOfARunIsNoFailureOfAFunction(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("interrupted"))
	f := &call.Functions{Grants: granted{"git"}, Git: func(ctx context.Context) (abi.GitResult, error) {
		return abi.GitResult{}, ctx.Err()
	}}
	_, e := f.Handle(ctx, abi.MethodGit, nil)
	if e == nil || e.Code != abi.CodeCanceled || e.Message != "interrupted" {
		t.Errorf("got %v", e)
	}
}

func TestAPluginSeesItsOwnStoreAlone(t *testing.T) {
	c, err := cache.Open(t.TempDir(), cache.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	mine := &call.Functions{Grants: granted{"cache"}, Store: call.Kept{Cache: c, Digest: "aa"}}
	other := &call.Functions{Grants: granted{"cache"}, Store: call.Kept{Cache: c, Digest: "bb"}}
	wantCode(t, ask(t, mine, abi.MethodCachePut, abi.CacheParams{Key: "k", Value: []byte("v\x00")}, nil), 0)
	var got abi.CacheResult
	wantCode(t, ask(t, mine, abi.MethodCacheGet, abi.CacheParams{Key: "k"}, &got), 0)
	if !got.Found || string(got.Value) != "v\x00" {
		t.Errorf("got %+v", got)
	}
	got = abi.CacheResult{}
	wantCode(t, ask(t, other, abi.MethodCacheGet, abi.CacheParams{Key: "k"}, &got), 0)
	if got.Found {
		t.Errorf("another plugin got %+v", got)
	}
	wantCode(t, ask(t, mine, abi.MethodCachePut, abi.CacheParams{Key: "k", Value: make([]byte, 5<<20)}, nil), abi.CodeLimit)
	wantCode(t, ask(t, mine, abi.MethodCachePut, abi.CacheParams{}, nil), abi.CodeInvalidParams)
}
