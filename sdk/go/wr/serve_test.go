package wr_test

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/wr-build/wr/sdk/go/abi"
	"github.com/wr-build/wr/sdk/go/wr"
)

// plugin is one that does a little of everything.
var plugin = wr.Plugin{
	Name: "sample", Version: "1.2.3",
	Initialize: func(_ *wr.Call, p abi.Initialize) error {
		config := struct{ Words []string }{[]string{"TODO"}}
		if err := wr.Config(p.Config, &config); err != nil {
			return err
		}
		if len(config.Words) == 0 {
			return wr.Invalid("words must not be empty")
		}
		return nil
	},
	Lint: func(c *wr.Call, p abi.LintParams) ([]abi.Diagnostic, error) {
		switch p.Files[0] {
		case "clean.py":
			return nil, nil
		case "broken.py":
			return nil, errors.New("it broke")
		}
		if err := c.Log("info", "look at %d", len(p.Files)); err != nil {
			return nil, err
		}
		hashes, err := c.Hash("*.py")
		if err != nil {
			return nil, err
		}
		return []abi.Diagnostic{{File: p.Files[0], Severity: abi.SeverityError, Rule: "R1", Message: hashes["a.py"]}}, nil
	},
	Tasks: map[string]wr.Task{
		"secret": func(c *wr.Call, _ abi.TaskParams) (abi.TaskResult, error) {
			value, err := c.Secret("TOKEN")
			if wr.Denied(err) {
				return abi.TaskResult{Exit: 1, Output: "denied"}, nil
			}
			return abi.TaskResult{Output: value, Exit: map[bool]int{true: 2}[c.Canceled()]}, err
		},
	},
	Event: func(c *wr.Call, e abi.Event) error { return errors.New("no wish to hear " + string(e.Event)) },
}

// A dialogue is lines of the host, ">", and of the plugin, "<", in their order.
// "<" alone is the end.
func TestDialogues(t *testing.T) {
	tests := map[string]string{
		"hello and goodbye": `
> {"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocols":["wr/2","wr/1"],"news":true},"more":1}
< {"jsonrpc":"2.0","id":1,"result":{"protocol":"wr/1","plugin":{"name":"sample","version":"1.2.3"}}}
> {"jsonrpc":"2.0","id":2,"method":"shutdown"}
< {"jsonrpc":"2.0","id":2,"result":{}}
<`,
		"no protocol in common": `
> {"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocols":["wr/9"]}}
< {"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"sample 1.2.3 speaks wr/1, the host offers [\"wr/9\"]"}}`,
		"a configuration that is wrong": `
> {"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocols":["wr/1"],"config":{"Words":[]}}}
< {"jsonrpc":"2.0","id":1,"error":{"code":-32005,"message":"words must not be empty"}}`,
		"a configuration of another type": `
> {"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocols":["wr/1"],"config":{"Words":3}}}
< {"jsonrpc":"2.0","id":1,"error":{"code":-32005,"message":"json: cannot unmarshal number into Go struct field .Words of type []string"}}`,
		"nothing found": `
> {"jsonrpc":"2.0","id":7,"method":"lint","params":{"project":".","files":["clean.py"]}}
< {"jsonrpc":"2.0","id":7,"result":{"diagnostics":[]}}`,
		"a question while it works": `
> {"jsonrpc":"2.0","id":7,"method":"lint","params":{"project":".","files":["a.py"]}}
< {"jsonrpc":"2.0","method":"log","params":{"level":"info","message":"look at 1"}}
< {"jsonrpc":"2.0","id":1,"method":"hash","params":{"globs":["*.py"]}}
> {"jsonrpc":"2.0","id":1,"result":{"files":{"a.py":"abc"}}}
< {"jsonrpc":"2.0","id":7,"result":{"diagnostics":[{"file":"a.py","severity":"error","rule":"R1","message":"abc"}]}}`,
		"a failure": `
> {"jsonrpc":"2.0","id":7,"method":"lint","params":{"project":".","files":["broken.py"]}}
< {"jsonrpc":"2.0","id":7,"error":{"code":-32603,"message":"it broke"}}`,
		"the error of the host is the plugin's": `
> {"jsonrpc":"2.0","id":7,"method":"task","params":{"project":".","task":"secret"}}
< {"jsonrpc":"2.0","id":1,"method":"secret.get","params":{"name":"TOKEN"}}
> {"jsonrpc":"2.0","id":1,"error":{"code":-32004,"message":"not set"}}
< {"jsonrpc":"2.0","id":7,"error":{"code":-32004,"message":"not set"}}`,
		"a denial can be told": `
> {"jsonrpc":"2.0","id":7,"method":"task","params":{"project":".","task":"secret"}}
< {"jsonrpc":"2.0","id":1,"method":"secret.get","params":{"name":"TOKEN"}}
> {"jsonrpc":"2.0","id":1,"error":{"code":-32001,"message":"not granted"}}
< {"jsonrpc":"2.0","id":7,"result":{"exit":1,"output":"denied"}}`,
		"an event and a cancellation come meanwhile": `
> {"jsonrpc":"2.0","id":7,"method":"task","params":{"project":".","task":"secret"}}
< {"jsonrpc":"2.0","id":1,"method":"secret.get","params":{"name":"TOKEN"}}
> {"jsonrpc":"2.0","method":"event","params":{"event":{"n":1}}}
> {"jsonrpc":"2.0","method":"$/cancel","params":{"id":7}}
> {"jsonrpc":"2.0","id":1,"result":{"value":"x"}}
< {"jsonrpc":"2.0","id":7,"result":{"exit":2,"output":"x"}}
< {"jsonrpc":"2.0","method":"log","params":{"level":"error","message":"event: no wish to hear {\"n\":1}"}}
> {"jsonrpc":"2.0","id":8,"method":"shutdown"}
< {"jsonrpc":"2.0","id":8,"result":{}}
<`,
		"a method that it lacks": `
> {"jsonrpc":"2.0","id":7,"method":"image","params":{"project":"."}}
< {"jsonrpc":"2.0","id":7,"error":{"code":-32601,"message":"sample has no method \"image\""}}
> {"jsonrpc":"2.0","id":8,"method":"event","params":{"event":1}}
< {"jsonrpc":"2.0","id":8,"error":{"code":-32601,"message":"sample has no method \"event\""}}`,
		"a task that it lacks": `
> {"jsonrpc":"2.0","id":7,"method":"task","params":{"project":".","task":"dance"}}
< {"jsonrpc":"2.0","id":7,"error":{"code":-32602,"message":"sample has no task \"dance\""}}`,
		"params that are none": `
> {"jsonrpc":"2.0","id":7,"method":"lint","params":[]}
< {"jsonrpc":"2.0","id":7,"error":{"code":-32602,"message":"json: cannot unmarshal array into Go value of type abi.LintParams"}}`,
		"notifications and answers nobody waits for": `
> {"jsonrpc":"2.0","method":"news","params":{}}
> {"jsonrpc":"2.0","id":99,"result":{}}
> {"jsonrpc":"2.0","id":8,"method":"shutdown"}
< {"jsonrpc":"2.0","id":8,"result":{}}
<`,
	}
	for name, dialogue := range tests {
		t.Run(name, func(t *testing.T) { act(t, strings.Split(strings.TrimSpace(dialogue), "\n")) })
	}
}

// act plays the host's part.
func act(t *testing.T, dialogue []string) {
	fromHost, toPlugin := io.Pipe()
	fromPlugin, toHost := io.Pipe()
	served := make(chan error, 1)
	go func() {
		served <- wr.Serve(plugin, fromHost, toHost)
		_ = toHost.Close()
	}()
	said := bufio.NewScanner(fromPlugin)
	for _, line := range dialogue {
		if text, host := strings.CutPrefix(line, "> "); host {
			if _, err := io.WriteString(toPlugin, text+"\n"); err != nil {
				t.Fatal(err)
			}
			continue
		}
		more := said.Scan()
		if got, want := strings.TrimSpace("< "+said.Text()), line; got != want || more != (want != "<") {
			t.Fatalf("got  %s\nwant %s", got, want)
		}
	}
	_ = toPlugin.Close()
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func TestAHostThatGoesAwayEndsAQuestion(t *testing.T) {
	var out strings.Builder
	in := strings.NewReader(`{"jsonrpc":"2.0","id":7,"method":"lint","params":{"project":".","files":["a.py"]}}`)
	if err := wr.Serve(plugin, in, &out); err != nil {
		t.Fatal(err)
	}
	if want := `"error":{"code":-32603,"message":"hash: unexpected EOF"}`; !strings.Contains(out.String(), want) {
		t.Errorf("got %s, want %s", out.String(), want)
	}
}

func TestAHostThatIsNoneEndsTheSession(t *testing.T) {
	err := wr.Serve(plugin, strings.NewReader("GET / HTTP/1.1\n"), io.Discard)
	if err == nil || !strings.Contains(err.Error(), "read from the host: not a message") {
		t.Errorf("got %v", err)
	}
}

func TestAResultThatIsTooLongIsNotSent(t *testing.T) {
	large := wr.Plugin{Tasks: map[string]wr.Task{"large": func(*wr.Call, abi.TaskParams) (abi.TaskResult, error) {
		return abi.TaskResult{Output: strings.Repeat("x", abi.MaxLine)}, nil
	}}}
	var out strings.Builder
	in := strings.NewReader(`{"jsonrpc":"2.0","id":7,"method":"task","params":{"task":"large"}}`)
	if err := wr.Serve(large, in, &out); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); len(got) > 1000 || !strings.Contains(got, `"id":7,"error":{"code":-32002`) {
		t.Errorf("got %.300q of %d bytes", got, len(got))
	}
}
