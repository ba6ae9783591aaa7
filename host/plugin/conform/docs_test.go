package conform_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/wr-build/wr/host/plugin/conform"
	"github.com/wr-build/wr/host/plugin/rpc"
	"github.com/wr-build/wr/sdk/go/abi"
)

// The page says what the code does: its tables are made of the same words.
func TestThePageOfTheProtocolHasAllMethodsAndRules(t *testing.T) {
	page, err := os.ReadFile("../../../docs/plugins/abi.md")
	if err != nil {
		t.Fatal(err)
	}
	findings, err := conform.Check(t.Context(), conform.Subject{Manifest: sample, Start: start(answers(right))})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range findings {
		if row := "| `" + f.Rule + "` | " + f.Claim + " |\n"; !strings.Contains(string(page), row) {
			t.Errorf("the page lacks the row %s", row)
		}
	}
	for _, row := range conform.Rows() {
		if !strings.Contains(string(page), row) {
			t.Errorf("the page lacks the row %s", row)
		}
	}
}

// Both sides of every transcript are as their schemas say, and a host that plays
// its side with this plugin's accepts it.
func TestTranscriptsKeepToTheProtocol(t *testing.T) {
	files, err := filepath.Glob("transcripts/*.txt")
	if err != nil || len(files) < 2 {
		t.Fatalf("got %d transcripts, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if wrong := conform.Judge(string(text)); len(wrong) > 0 {
				t.Errorf("got %q", wrong)
			}
			synctest.Test(t, func(t *testing.T) { replay(t, strings.Split(strings.TrimSpace(string(text)), "\n")) })
		})
	}
}

func TestATranscriptThatIsWrongIsFound(t *testing.T) {
	const asked = `> {"jsonrpc":"2.0","id":1,"method":"lint","params":{"project":".","files":[]}}` + "\n"
	tests := map[string]struct{ transcript, want string }{
		"neither side":            {"hello", `line 1: neither side says "hello"`},
		"no JSON":                 {"> x", "line 1: invalid character"},
		"no JSON-RPC":             {`> {"id":1,"method":"lint"}`, "line 1: validating root"},
		"params of another shape": {`> {"jsonrpc":"2.0","id":1,"method":"lint","params":{"project":"."}}`, `missing properties: ["files"]`},
		"a result of another":     {asked + `< {"jsonrpc":"2.0","id":1,"result":{"diagnostics":{}}}`, "line 2: validating root"},
		"an answer to nothing":    {asked + `< {"jsonrpc":"2.0","id":2,"result":{}}`, "line 2: answers what was not asked"},
		"a question of the host to itself": {
			`> {"jsonrpc":"2.0","id":1,"method":"git"}` + "\n" + `< {"jsonrpc":"2.0","id":1,"result":{}}`,
			"line 2: has a result for a method that nobody knows",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if wrong := conform.Judge(test.transcript); len(wrong) != 1 || !strings.Contains(wrong[0], test.want) {
				t.Errorf("got %q, want %q", wrong, test.want)
			}
		})
	}
}

// replay plays a transcript's plugin to a Session, which asks what its host asks.
func replay(t *testing.T, lines []string) {
	t.Helper()
	begin := start(func(in io.Reader, out io.Writer) {
		heard := bufio.NewScanner(in)
		heard.Buffer(nil, abi.MaxLine)
		for _, line := range lines {
			if said, mine := strings.CutPrefix(line, "< "); mine {
				_, _ = io.WriteString(out, said+"\n")
			} else if !heard.Scan() {
				return
			}
		}
		_, _ = io.Copy(io.Discard, in)
	})
	instance, err := begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer instance.Kill()
	session := rpc.New(instance, 1, rpc.Listener{Stray: func(line string) { t.Errorf("stray: %s", line) }})
	for _, line := range lines {
		var m abi.Message
		said, host := strings.CutPrefix(line, "> ")
		if err := json.Unmarshal([]byte(said), &m); !host || err != nil || m.Method == "" {
			continue
		}
		err := ask(t.Context(), session, m)
		if _, answered := errors.AsType[*abi.Error](err); err != nil && !answered {
			t.Fatalf("%s: %v", m.Method, err)
		}
	}
}

func ask(ctx context.Context, s *rpc.Session, m abi.Message) error {
	switch {
	case m.Method == abi.MethodShutdown:
		return s.Close(ctx)
	case m.ID == nil:
		return s.Notify(ctx, m.Method, m.Params)
	}
	return s.Call(ctx, nil, m.Method, m.Params, &json.RawMessage{})
}
