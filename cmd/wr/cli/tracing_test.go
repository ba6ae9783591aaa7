package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/wr-build/wr/host/hook"
	"github.com/wr-build/wr/host/plugin/account"
	"github.com/wr-build/wr/host/plugin/rpc"
	"github.com/wr-build/wr/host/plugin/trace"
	"github.com/wr-build/wr/sdk/go/abi"
)

// traced is a trace of a plugin that may have secrets with values that are hard to hide.
func traced(t *testing.T) (*tracing, hook.Watch, *bytes.Buffer) {
	t.Helper()
	var out bytes.Buffer
	secrets := map[string]string{"WR_SECRET_SHORT": "q7", "WR_SECRET_ODD": "a\"<b>\\c", "WR_SECRET_KEY": "-----BEGIN\nzyxwvut\n-----END"}
	tr := &tracing{plugin: "p", out: &out, lookupEnv: func(name string) (string, bool) {
		value, ok := secrets[name]
		return value, ok
	}}
	w := tr.watch(hook.Account(&account.Book{}, "p"), readOnlySecrets{"SHORT", "ODD", "KEY", "MISSING"})
	return tr, w, &out
}

// readOnlySecrets are grants for secrets alone.
type readOnlySecrets []string

func (readOnlySecrets) Allow(abi.Capability) *abi.Denied { return nil }
func (readOnlySecrets) Texts() []string                  { return nil }
func (r readOnlySecrets) Values(name string) []string {
	if name != abi.CapSecret {
		return nil
	}
	return r
}

func TestATraceShowsNoSecrets(t *testing.T) {
	for _, asJSON := range []bool{false, true} {
		tr, w, out := traced(t)
		tr.json = asJSON
		const all = "q7 a\"<b>\\c zyxwvut"
		a := &hook.Asked{
			Method: abi.MethodTask, Params: abi.TaskParams{Task: "t", Args: []string{all}}, Result: &abi.TaskResult{Output: all},
			Calls: map[string]account.Function{"exec": {Calls: 1}, "http": {Calls: 2}, "secret.get": {Calls: 1}},
		}
		w.Called(a, rpc.Called{Method: abi.MethodSecret, Params: json.RawMessage(`{"name":"ODD"}`), Result: abi.SecretResult{Value: all}})
		w.Called(a, rpc.Called{Method: abi.MethodExec, Params: message(t, abi.ExecParams{Argv: []string{"x", all}, Stdin: all}), Result: abi.ExecResult{Stdout: all}})
		w.Called(a, rpc.Called{Method: abi.MethodHTTP, Params: message(t, abi.HTTPParams{
			URL: "https://x/?" + all, Header: map[string][]string{all: {all}}, Body: []byte(all),
		}), Result: abi.HTTPResult{Body: []byte(all)}})
		w.Called(a, rpc.Called{Method: abi.MethodHTTP, Err: &abi.Error{Code: abi.CodeUnavailable, Message: "no " + all}})
		w.Asked(a)
		failed := &hook.Asked{Method: abi.MethodTask, Err: errors.New("it says " + all)}
		w.Asked(failed)
		for _, secret := range []string{"q7", `a\"<b>`, `a"<b>`, "a\\\"", "zyxwvut", "cTcg", "BEGIN"} { // also in base64
			if strings.Contains(out.String(), secret) {
				t.Errorf("it shows %s:\n%s", secret, out)
			}
		}
		for _, want := range []string{"ODD", "https://x/?*** *** ***", "no *** *** ***", "it says *** *** ***", "exec", "24 characters"} {
			if !strings.Contains(out.String(), want) {
				t.Errorf("it does not show %s:\n%s", want, out)
			}
		}
	}
}

func message(t *testing.T, params any) json.RawMessage {
	t.Helper()
	text, err := json.Marshal(params)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestATraceShowsEachQuestionAndItsAnswer(t *testing.T) {
	_, w, out := traced(t)
	r := trace.NewRecorder(trace.Limits{})
	r.Add(trace.Question{Path: "a", Kind: trace.Read}, trace.Answer{Sum: [32]byte{1, 2, 3, 4, 5, 6, 7}})
	r.Add(trace.Question{Path: "a/b", Kind: trace.Stat}, trace.Answer{Failure: trace.NotDir})
	r.Add(trace.Question{Path: "c", Kind: trace.Stat}, trace.Answer{Failure: trace.Missing})
	r.Add(trace.Question{Path: "d", Kind: trace.Lstat}, trace.Answer{Type: trace.Symlink})
	r.Add(trace.Question{Path: "d", Kind: trace.Stat}, trace.Answer{Type: trace.File, Size: 3})
	r.Add(trace.Question{Path: "e", Kind: trace.Target}, trace.Answer{Failure: trace.NotLink})
	r.Add(trace.Question{Path: "f", Kind: trace.List}, trace.Answer{Failure: trace.TooManyLinks})
	r.Add(trace.Question{Path: "g", Kind: trace.Stat}, trace.Answer{Type: trace.Dir})
	w.Started(hook.Started{Time: 1500 * time.Microsecond, Compile: 2 * time.Second})
	w.Asked(&hook.Asked{
		Method: "lint", Params: abi.LintParams{Files: []string{"a"}}, Result: &abi.LintResult{Diagnostics: []abi.Diagnostic{}}, Trace: r.Take(),
		Wrote: map[string]int{"gen/x": 5}, Attempts: 2, Time: 123456 * time.Nanosecond, Memory: 1 << 20, Files: 1, Read: 7,
	})
	const want = `+++ p started in 1.5ms, compiled in 2s +++
p lint({"files":["a"],"project":""})
    read a = sha256:010203040506
    stat a/b = not a directory
    stat c = missing
    lstat d = link
    stat d = file of 3 bytes
    readlink e = not a link
    list f = too many links
    stat g = directory
    wrote gen/x, 5 bytes
  = {"diagnostics":[]} <123µs, 7B in 1 file, 1MiB of memory, asked 2 times>
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
}

func TestATraceOfAMillionCallsIsShort(t *testing.T) {
	tr, w, out := traced(t)
	a := &hook.Asked{Method: "task", Calls: map[string]account.Function{"git": {Calls: 5000}}}
	for range 5000 {
		w.Called(a, rpc.Called{Method: "git", Result: abi.GitResult{}})
	}
	w.Asked(a)
	if n := strings.Count(out.String(), "\n"); n != maxTraced+3 || !strings.Contains(out.String(), "and 4000 more calls") || len(tr.pending) != 0 {
		t.Errorf("%d lines, %d pending", n, len(tr.pending))
	}
}
