package daemon

import (
	"encoding/json"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wr-build/wr/runtime/engine"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/runtime/wire"
)

func TestRequestsOfAnotherVersionAreRefusedBeforeAnythingElse(t *testing.T) {
	ours, next := fmt.Sprintf(`{"protocol":%d,`, Protocol), fmt.Sprintf(`{"protocol":%d,`, Protocol+1)
	for text, code := range map[string]string{
		ours + `"operation":"status"}`:  "",
		next + `"operation":{"new":1}}`: "engine.version_skew",
		`{}`:                            "engine.version_skew",
		ours + `"operation":7}`:         "engine.bad_request",
		`[]`:                            "engine.bad_request",
	} {
		_, err := decodeRequest([]byte(text))
		if code == "" && err != nil || code != "" && !fault.HasCode(err, code) {
			t.Errorf("%s: got %v, want code %q", text, err, code)
		}
	}
	skew := fault.Of(versionSkew(1, 2))
	if !strings.Contains(skew.Next, "wr engine down") {
		t.Errorf("no word on what to do: %+v", skew)
	}
}

func FuzzDecodeRequest(f *testing.F) {
	f.Add([]byte(`{"protocol":2,"operation":"run","container":{"image":"x","mounts":[{"source":"/a"}]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := decodeRequest(data)
		if err == nil && r.Protocol != Protocol {
			t.Errorf("accepted protocol %d", r.Protocol)
		}
	})
}

// respond is an engine that answers every request with the same message.
func respond(t *testing.T, answer any) engine.Dirs {
	t.Helper()
	dirs := engine.Dirs{Run: t.TempDir()}
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dirs.Run, "engine.sock"), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			unix, err := listener.AcceptUnix()
			if err != nil {
				return
			}
			conn := wire.New(unix)
			var request json.RawMessage
			if _, err := conn.Receive(&request); err == nil && answer != nil {
				conn.Send(answer)
			}
			conn.Close()
		}
	}()
	return dirs
}

func TestFaultsOfTheEngineReachTheCaller(t *testing.T) {
	dirs := respond(t, reply{Fault: &fault.Error{Code: "image.missing", Message: "no", Next: "build"}})
	c, err := Dial(t.Context(), dirs)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Run(t.Context(), spec.Container{}, spec.Process{}, spec.Stdio{})
	if got := fault.Of(err); got.Code != "image.missing" || got.Next != "build" {
		t.Errorf("run: got %+v", got)
	}
	if _, _, err := c.Lookup(t.Context(), "x"); !fault.HasCode(err, "image.missing") {
		t.Errorf("lookup: got %v", err)
	}
}

func TestAnEngineThatHangsUpIsAFault(t *testing.T) {
	c, err := Dial(t.Context(), respond(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Status(t.Context()); !fault.HasCode(err, "engine.lost") {
		t.Errorf("status: got %v", err)
	}
	if _, err := c.Run(t.Context(), spec.Container{}, spec.Process{}, spec.Stdio{}); !fault.HasCode(err, "engine.lost") {
		t.Errorf("run: got %v", err)
	}
}

func TestNoEngineIsAFaultThatSaysHowToStartOne(t *testing.T) {
	_, err := Dial(t.Context(), engine.Dirs{Run: t.TempDir()})
	if !fault.HasCode(err, "engine.down") || fault.Of(err).Next != "wr engine up" {
		t.Errorf("got %v", err)
	}
}
