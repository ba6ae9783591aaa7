package conform_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wr-build/wr/host/plugin/conform"
	"github.com/wr-build/wr/host/plugin/rpc"
	"github.com/wr-build/wr/sdk/go/abi"
	"github.com/wr-build/wr/sdk/go/wr"
)

// sample is the manifest of all plugins here.
var sample = abi.Manifest{
	ABI: abi.Version, Name: "sample", Version: "1.0.0", Kind: abi.KindRPC,
	Provides: abi.Provides{Lint: &abi.Files{Globs: []string{"*"}}, Events: []string{"*"}, Tasks: []abi.Task{{Name: "go"}}},
}

func start(plugin func(in io.Reader, out io.Writer)) func(context.Context) (rpc.Instance, error) {
	return func(context.Context) (rpc.Instance, error) {
		stdin, toPlugin := io.Pipe()
		fromPlugin, stdout := io.Pipe()
		kill := func() {
			_ = stdout.Close()
			_ = stdin.Close()
		}
		go func() {
			plugin(stdin, stdout)
			kill()
		}()
		return rpc.Instance{Stdin: toPlugin, Stdout: fromPlugin, Kill: kill}, nil
	}
}

// broken are the rules that a plugin does not keep, each with all that was said of it.
func broken(t *testing.T, plugin func(in io.Reader, out io.Writer)) map[string]string {
	t.Helper()
	findings, err := conform.Check(t.Context(), conform.Subject{Manifest: sample, Files: []string{"b.py", "a.py"}, Start: start(plugin)})
	if err != nil || len(findings) < 10 {
		t.Fatalf("got %d findings, %v", len(findings), err)
	}
	all := map[string]string{}
	for _, f := range findings {
		if len(f.Broken) > 0 {
			all[f.Rule] = strings.Join(f.Broken, "; ")
		}
	}
	return all
}

func TestAPluginOfTheSDKKeepsAllRules(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked []string
		plugin := wr.Plugin{
			Name: "sample", Version: "1.0.0",
			Lint: func(c *wr.Call, p abi.LintParams) ([]abi.Diagnostic, error) {
				asked = append(asked, p.Files...)
				if _, err := c.Git(); err != nil {
					return nil, err
				}
				return nil, nil
			},
			Tasks: map[string]wr.Task{"go": func(*wr.Call, abi.TaskParams) (abi.TaskResult, error) { return abi.TaskResult{}, nil }},
			Event: func(*wr.Call, abi.Event) error { return nil },
		}
		if got := broken(t, func(in io.Reader, out io.Writer) { _ = wr.Serve(plugin, in, out) }); len(got) > 0 {
			t.Errorf("got %q", got)
		}
		if want := []string{"a.py", "b.py", "a.py", "b.py"}; !slices.Equal(asked, want) {
			t.Errorf("asked about %q, want %q", asked, want)
		}
	})
}

// answers is a plugin that writes one line, or none, for a message of the host,
// and ends when the line is "end".
func answers(answer func(m abi.Message) string) func(in io.Reader, out io.Writer) {
	return func(in io.Reader, out io.Writer) {
		for lines := bufio.NewScanner(in); lines.Scan(); {
			var m abi.Message
			if json.Unmarshal(lines.Bytes(), &m) != nil {
				return
			}
			line := answer(m)
			if line == "end" {
				return
			}
			if line != "" {
				_, _ = io.WriteString(out, line+"\n")
			}
		}
	}
}

// reply is one to m.
func reply(m abi.Message, member string) string {
	return `{"jsonrpc":"2.0","id":` + strconv.FormatInt(*m.ID, 10) + "," + member + "}"
}

// right is how a plugin answers that keeps all rules.
func right(m abi.Message) string {
	switch {
	case m.ID == nil:
		return ""
	case m.Method == abi.MethodInitialize && !strings.Contains(string(m.Params), `"wr/1"`):
		return reply(m, `"error":{"code":-32600,"message":"no"}`)
	case m.Method == abi.MethodInitialize:
		return reply(m, `"result":{"protocol":"wr/1","plugin":{"name":"sample","version":"1.0.0"}}`)
	case m.Method == abi.MethodLint:
		return reply(m, `"result":{"diagnostics":[]}`)
	case m.Method == abi.MethodTask:
		return reply(m, `"result":{"exit":0}`)
	case m.Method == abi.MethodShutdown:
		return reply(m, `"result":{}`)
	}
	return reply(m, `"error":{"code":-32601,"message":"no"}`)
}

func TestEveryRuleFindsWhoBreaksIt(t *testing.T) {
	tests := map[string]struct {
		answer func(m abi.Message) string
		rules  map[string]string // part of what is said, by rule
	}{
		"none": {right, nil},
		"another name": {
			func(m abi.Message) string { return strings.Replace(right(m), "sample", "other", 1) },
			map[string]string{"greeting": "it calls itself other 1.0.0, its manifest sample 1.0.0"},
		},
		"the newest protocol": {func(m abi.Message) string {
			if strings.Contains(string(m.Params), `"wr/2000","wr/1"`) {
				return strings.Replace(right(m), "wr/1", "wr/2000", 1)
			}
			return right(m)
		}, map[string]string{"newer-host": `it chose the protocol "wr/2000", want "wr/1"`}},
		"any protocol": {func(m abi.Message) string {
			m.Params = json.RawMessage(`["wr/1"]`)
			return right(m)
		}, map[string]string{"no-protocol": "it accepted"}},
		"a wrong code": {
			func(m abi.Message) string { return strings.Replace(right(m), "-32601", "-32603", 1) },
			map[string]string{"unknown-method": "it answered with error -32603 (no), want -32601", "unprovided-method": "format: it answered with error -32603"},
		},
		"a result for all": {func(m abi.Message) string {
			if line := right(m); !strings.Contains(line, "-32601") {
				return line
			}
			return reply(m, `"result":{}`)
		}, map[string]string{"unknown-method": "it answered with a result, want error -32601", "unprovided-method": "format: it answered with a result"}},
		"an answer to a notification": {func(m abi.Message) string {
			if m.ID == nil && m.Method == "conform/unknown" {
				return "end"
			}
			return right(m)
		}, map[string]string{"unknown-notification": "shutdown: "}},
		"a method that is missing": {func(m abi.Message) string {
			if m.Method == abi.MethodTask {
				return "end"
			}
			return right(m)
		}, map[string]string{"provided-method": "task: the plugin ended without an answer", "refused-question": "task: the plugin ended"}},
		"results of another shape": {func(m abi.Message) string {
			return strings.Replace(right(m), `"diagnostics":[]`, `"diagnostics":[{"file":1}]`, 1)
		}, map[string]string{"provided-method": "LintResult is not as its schema says", "refused-question": "LintResult is not as its schema says"}},
		"an end at a refusal": {func(m abi.Message) string {
			switch {
			case m.Error != nil && m.Error.Code == abi.CodeDenied:
				return "end"
			case m.Error != nil:
				return `{"jsonrpc":"2.0","id":2,"result":{"diagnostics":[]}}`
			case m.Method == abi.MethodLint:
				return `{"jsonrpc":"2.0","id":1,"method":"git"}`
			}
			return right(m)
		}, map[string]string{"refused-question": "lint: the plugin ended without an answer"}},
		"prints": {func(m abi.Message) string {
			if m.Method == abi.MethodTask {
				return "starting\n" + right(m)
			}
			return right(m)
		}, map[string]string{"provided-method": `no message: "starting"`, "refused-question": `no message: "starting"`}},
		"more after shutdown": {func(m abi.Message) string {
			if m.Method == abi.MethodShutdown {
				return right(m) + "\n" + `{"jsonrpc":"2.0","id":9,"method":"git"}`
			}
			return right(m)
		}, map[string]string{"shutdown": "it went on after it had answered shutdown"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got := broken(t, answers(test.answer))
				for rule, want := range test.rules {
					if !strings.Contains(got[rule], want) {
						t.Errorf("%s: got %q, want %q", rule, got[rule], want)
					}
				}
				if name == "none" && len(got) > 0 {
					t.Errorf("got %q", got)
				}
			})
		})
	}
}

func TestAPluginThatDoesNotEndWithItsInputIsFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var plugins sync.WaitGroup
		defer plugins.Wait()
		got := broken(t, func(in io.Reader, out io.Writer) {
			plugins.Add(1)
			defer plugins.Done()
			answers(right)(in, out)
			for range time.Tick(time.Second) {
				if _, err := io.WriteString(out, "\n"); err != nil {
					return
				}
			}
		})
		if want := "nothing came within 20s"; got["end-of-input"] != want {
			t.Errorf("got %q, want %q", got["end-of-input"], want)
		}
	})
}

func TestAPluginThatCannotBeStartedIsAnError(t *testing.T) {
	cause := errors.New("no such module")
	_, err := conform.Check(t.Context(), conform.Subject{Manifest: sample, Start: func(context.Context) (rpc.Instance, error) { return rpc.Instance{}, cause }})
	if !errors.Is(err, cause) {
		t.Errorf("got %v", err)
	}
}
