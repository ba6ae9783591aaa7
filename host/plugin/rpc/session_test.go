package rpc_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wr-build/wr/host/plugin/rpc"
	"github.com/wr-build/wr/sdk/go/abi"
	"github.com/wr-build/wr/sdk/go/wr"
)

var hello = abi.Initialize{Protocols: []string{abi.Version}, Limits: abi.Limits{Pending: 4}}

// run starts a plugin that is a function.
func run(plugin func(in io.Reader, out io.Writer)) rpc.Instance {
	stdin, toPlugin := io.Pipe()
	fromPlugin, stdout := io.Pipe()
	go func() {
		plugin(stdin, stdout)
		_ = stdout.Close()
		_ = stdin.Close()
	}()
	return rpc.Instance{Stdin: toPlugin, Stdout: fromPlugin, Kill: func() {
		_ = stdout.Close()
		_ = stdin.Close()
	}}
}

func serve(p wr.Plugin) rpc.Instance {
	return run(func(in io.Reader, out io.Writer) { _ = wr.Serve(p, in, out) })
}

// script is a plugin that greets, waits for one more line, writes lines and ends.
// It never looks at what it is told.
func script(lines ...string) rpc.Instance {
	return run(func(in io.Reader, out io.Writer) {
		asked := bufio.NewScanner(in)
		asked.Buffer(nil, abi.MaxLine)
		asked.Scan()
		_, _ = io.WriteString(out, `{"jsonrpc":"2.0","id":1,"result":{"protocol":"wr/1"}}`+"\n")
		asked.Scan()
		go func() { _, _ = io.Copy(io.Discard, in) }()
		for _, line := range lines {
			_, _ = io.WriteString(out, line+"\n")
		}
	})
}

// functions answers with a function.
type functions func(ctx context.Context, method string, params json.RawMessage) (any, *abi.Error)

func (f functions) Handle(ctx context.Context, method string, params json.RawMessage) (any, *abi.Error) {
	return f(ctx, method, params)
}

func open(t *testing.T, instance rpc.Instance, listener rpc.Listener) *rpc.Session {
	t.Helper()
	s, err := rpc.Open(t.Context(), instance, hello, listener)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func lint(ctx context.Context, s *rpc.Session, f rpc.Functions) (abi.LintResult, error) {
	var r abi.LintResult
	err := s.Call(ctx, f, abi.MethodLint, abi.LintParams{Files: []string{"a.py"}}, &r)
	return r, err
}

func TestAPluginIsAskedAndMayAsk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logged []string
		s := open(t, serve(wr.Plugin{
			Name: "sample",
			Lint: func(c *wr.Call, p abi.LintParams) ([]abi.Diagnostic, error) {
				hashes, err := c.Hash("*.py")
				if err != nil {
					return nil, err
				}
				return []abi.Diagnostic{{File: p.Files[0], Message: hashes["a.py"]}}, c.Log("warn", "seen %s", p.Files[0])
			},
		}), rpc.Listener{Log: func(l abi.Log) { logged = append(logged, l.Level+" "+l.Message) }})
		for range 3 {
			r, err := lint(t.Context(), s, functions(func(_ context.Context, method string, _ json.RawMessage) (any, *abi.Error) {
				return abi.HashResult{Files: map[string]string{"a.py": method}}, nil
			}))
			if err != nil || len(r.Diagnostics) != 1 || r.Diagnostics[0].Message != "hash" {
				t.Fatalf("got %+v, %v", r, err)
			}
		}
		if want := []string{"warn seen a.py", "warn seen a.py", "warn seen a.py"}; !slices.Equal(logged, want) {
			t.Errorf("got %q, want %q", logged, want)
		}
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestAnErrorOfThePluginLeavesTheSessionAsItWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, serve(wr.Plugin{Name: "sample"}), rpc.Listener{})
		for range 2 {
			_, err := lint(t.Context(), s, nil)
			if e, ok := errors.AsType[*abi.Error](err); !ok || e.Code != abi.CodeMethodNotFound {
				t.Errorf("got %v", err)
			}
		}
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

const good = `{"jsonrpc":"2.0","id":2,"result":{"diagnostics":[{"file":"a.py"}],"news":[1]},"more":true}`

func TestWhatAPluginMayWrite(t *testing.T) {
	tests := map[string]struct {
		lines []string
		err   string // part of it; "" = the answer is read
		stray int
	}{
		"an answer":                    {[]string{good}, "", 0},
		"an answer with spaces":        {[]string{"  " + good + "  \r"}, "", 0},
		"empty lines":                  {[]string{"", "  ", good}, "", 0},
		"a few prints":                 {[]string{"hello", `{"level":"info"}`, "\xff\xfe", good}, "", 3},
		"many prints":                  {[]string{"1", "2", "3", "4", good}, `more than 3 lines on its stdout are no messages, the last: "4"`, 3},
		"a notification nobody knows":  {[]string{`{"jsonrpc":"2.0","method":"news","params":3}`, good}, "", 0},
		"a log that cannot be read":    {[]string{`{"jsonrpc":"2.0","method":"log","params":3}`, good}, "", 0},
		"the answer to something else": {[]string{`{"jsonrpc":"2.0","id":1,"result":{}}`}, "it answered request 1 while asked 2", 0},
		"half a message":               {[]string{`{"jsonrpc":"2.0","id":2,"resu`}, "a message cannot be read: unexpected end of JSON input", 0},
		"no UTF-8":                     {[]string{"{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":\"\xff\"}"}, "a message is not UTF-8", 0},
		"another JSON-RPC":             {[]string{`{"jsonrpc":"1.0","id":2,"result":{}}`}, "neither a request, a notification nor a reply of JSON-RPC 2.0", 0},
		"a reply that is both":         {[]string{`{"jsonrpc":"2.0","id":2,"result":{},"error":{"code":1}}`}, "neither a request", 0},
		"a reply that is neither":      {[]string{`{"jsonrpc":"2.0","id":2}`}, "neither a request", 0},
		"a request with a result":      {[]string{`{"jsonrpc":"2.0","id":2,"method":"git","result":{}}`}, "neither a request", 0},
		"an id that is a word":         {[]string{`{"jsonrpc":"2.0","id":"2","result":{}}`}, "a message cannot be read: json: cannot unmarshal string", 0},
		"a result of another shape":    {[]string{`{"jsonrpc":"2.0","id":2,"result":[1]}`}, "its result of lint cannot be read", 0},
		"a line of a gigabyte":         {[]string{`{"jsonrpc":"2.0","id":2,"result":"` + strings.Repeat("x", abi.MaxLine)}, "a line is longer than 8388608 bytes", 0},
		"a text with many commas":      {[]string{strings.Replace(good, "a.py", strings.Repeat(`,\"{[`, abi.MaxValues/2), 1)}, "", 0},
		"many nothings":                {[]string{`{"jsonrpc":"2.0","id":2,"result":{"diagnostics":[` + strings.Repeat("null,", abi.MaxValues) + `null]}}`}, "a message has more than 524288 values", 0},
		"an answer before a question":  {[]string{good, good}, "", 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				instance, strays := script(test.lines...), 0
				defer instance.Kill()
				s := open(t, instance, rpc.Listener{Stray: func(string) { strays++ }})
				r, err := lint(t.Context(), s, nil)
				if strays != test.stray {
					t.Errorf("%d strays, want %d", strays, test.stray)
				}
				if test.err == "" {
					if err != nil || len(r.Diagnostics) != 1 {
						t.Errorf("got %+v, %v", r, err)
					}
					return
				}
				var violation *rpc.ViolationError
				if !errors.As(err, &violation) || !strings.Contains(err.Error(), test.err) {
					t.Errorf("got %v, want a violation: %s", err, test.err)
				}
				if _, again := lint(t.Context(), s, nil); again != err {
					t.Errorf("afterwards got %v, want %v", again, err)
				}
			})
		})
	}
}

func TestAProtocolThatWasNotOfferedIsRefused(t *testing.T) {
	instance := run(func(in io.Reader, out io.Writer) {
		_, _ = bufio.NewReader(in).ReadString('\n')
		_, _ = io.WriteString(out, `{"jsonrpc":"2.0","id":1,"result":{"protocol":"wr/2"}}`+"\n")
	})
	_, err := rpc.Open(t.Context(), instance, hello, rpc.Listener{})
	if want := `it chose "wr/2" of the protocols ["wr/1"]`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestAPluginThatEndsIsSaidToHaveEnded(t *testing.T) {
	s := open(t, run(func(in io.Reader, out io.Writer) {
		lines := bufio.NewScanner(in)
		lines.Scan()
		_, _ = io.WriteString(out, `{"jsonrpc":"2.0","id":1,"result":{"protocol":"wr/1"}}`+"\n")
		lines.Scan()
	}), rpc.Listener{})
	if _, err := lint(t.Context(), s, nil); !errors.Is(err, rpc.ErrEnded) {
		t.Errorf("got %v, want %v", err, rpc.ErrEnded)
	}
}

var errDeadline = errors.New("the deadline has passed")

func TestTheEndOfTheContextEndsWhateverAPluginDoes(t *testing.T) {
	tests := map[string]func(in io.Reader, out io.Writer){
		"it neither reads nor writes": func(in io.Reader, _ io.Writer) { _, _ = bufio.NewReaderSize(in, 16).ReadString('\n') },
		"it reads and never answers":  func(in io.Reader, _ io.Writer) { _, _ = io.Copy(io.Discard, in) },
		"it asks and does not read": func(_ io.Reader, out io.Writer) {
			for i := 1; ; i++ {
				if _, err := fmt.Fprintf(out, `{"jsonrpc":"2.0","id":%d,"method":"git"}`+"\n", i); err != nil {
					return
				}
			}
		},
		"it writes notes without end": func(in io.Reader, out io.Writer) {
			go func() { _, _ = io.Copy(io.Discard, in) }()
			for {
				if _, err := io.WriteString(out, `{"jsonrpc":"2.0","method":"progress","params":{"done":1}}`+"\n"); err != nil {
					return
				}
			}
		},
	}
	for name, behave := range tests {
		t.Run(name, func(t *testing.T) {
			s := open(t, run(func(in io.Reader, out io.Writer) {
				_, _ = bufio.NewReaderSize(in, 16).ReadString('\n')
				_, _ = io.WriteString(out, `{"jsonrpc":"2.0","id":1,"result":{"protocol":"wr/1"}}`+"\n")
				behave(in, out)
				_, _ = io.Copy(io.Discard, in)
			}), rpc.Listener{})
			ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, errDeadline)
			defer cancel()
			git := functions(func(context.Context, string, json.RawMessage) (any, *abi.Error) { return abi.GitResult{}, nil })
			if _, err := lint(ctx, s, git); !errors.Is(err, errDeadline) {
				t.Errorf("got %v, want %v", err, errDeadline)
			}
			if err := s.Close(t.Context()); err != nil {
				t.Errorf("close: %v", err)
			}
		})
	}
}

func TestAPluginThatWaitsForTheHostIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, serve(wr.Plugin{Lint: func(c *wr.Call, _ abi.LintParams) ([]abi.Diagnostic, error) {
			_, err := c.Git()
			return nil, err
		}}), rpc.Listener{})
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, errDeadline)
		defer cancel()
		_, err := lint(ctx, s, functions(func(ctx context.Context, _ string, _ json.RawMessage) (any, *abi.Error) {
			<-ctx.Done()
			return nil, &abi.Error{Code: abi.CodeCanceled, Message: context.Cause(ctx).Error()}
		}))
		if !errors.Is(err, errDeadline) {
			t.Errorf("got %v, want %v", err, errDeadline)
		}
		// It answered, so it is still good for something.
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestOnlySoManyQuestionsAreOpenAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lines []string
		for i := range 20 {
			lines = append(lines, fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"git"}`, i+1))
		}
		instance := script(append(lines, good)...)
		defer instance.Kill()
		s := open(t, instance, rpc.Listener{})
		began, release := make(chan struct{}, 20), make(chan struct{})
		done := make(chan error, 1)
		go func() {
			_, err := lint(t.Context(), s, functions(func(context.Context, string, json.RawMessage) (any, *abi.Error) {
				began <- struct{}{}
				<-release
				return abi.GitResult{}, nil
			}))
			done <- err
		}()
		synctest.Wait()
		if len(began) != 4 {
			t.Errorf("%d questions are open, want 4", len(began))
		}
		close(release)
		if err := <-done; err != nil || len(began) != 20 {
			t.Errorf("got %v with %d of 20 questions", err, len(began))
		}
	})
}

func TestAQuestionThatIsNotWaitedForIsEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		instance := script(`{"jsonrpc":"2.0","id":1,"method":"exec"}`, good)
		defer instance.Kill()
		var cause error
		_, err := lint(t.Context(), open(t, instance, rpc.Listener{}), functions(func(ctx context.Context, _ string, _ json.RawMessage) (any, *abi.Error) {
			<-ctx.Done()
			cause = context.Cause(ctx)
			return nil, nil
		}))
		if err != nil || cause == nil || !strings.Contains(cause.Error(), "without waiting") {
			t.Errorf("got %v, cause %v", err, cause)
		}
	})
}

func TestAnAnswerOfTheHostThatIsTooLongIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, serve(wr.Plugin{Lint: func(c *wr.Call, _ abi.LintParams) ([]abi.Diagnostic, error) {
			_, _, err := c.CacheGet("x")
			return nil, err
		}}), rpc.Listener{})
		_, err := lint(t.Context(), s, functions(func(context.Context, string, json.RawMessage) (any, *abi.Error) {
			return abi.CacheResult{Value: make([]byte, abi.MaxLine)}, nil
		}))
		if e, ok := errors.AsType[*abi.Error](err); !ok || e.Code != abi.CodeLimit {
			t.Errorf("got %v", err)
		}
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestAPluginThatGoesOnAfterShutdownIsSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, script(`{"jsonrpc":"2.0","id":2,"result":{}}`, `{"jsonrpc":"2.0","id":1,"method":"git"}`), rpc.Listener{})
		if err := s.Close(t.Context()); err == nil || !strings.Contains(err.Error(), "it went on after it had answered shutdown") {
			t.Errorf("got %v", err)
		}
	})
}

func FuzzSession(f *testing.F) {
	f.Add([]byte(good + "\n"))
	f.Add([]byte("x\n{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"git\"}\n" + good))
	f.Fuzz(func(t *testing.T, said []byte) {
		s := open(t, run(func(in io.Reader, out io.Writer) {
			lines := bufio.NewScanner(in)
			lines.Scan()
			_, _ = io.WriteString(out, `{"jsonrpc":"2.0","id":1,"result":{"protocol":"wr/1"}}`+"\n")
			go func() { _, _ = io.Copy(io.Discard, in) }()
			_, _ = out.Write(said)
		}), rpc.Listener{})
		_, err := lint(t.Context(), s, nil)
		var violation *rpc.ViolationError
		if _, failed := errors.AsType[*abi.Error](err); err != nil && !failed && !errors.As(err, &violation) && !errors.Is(err, rpc.ErrEnded) {
			t.Errorf("got %v", err)
		}
		_ = s.Close(t.Context())
	})
}
