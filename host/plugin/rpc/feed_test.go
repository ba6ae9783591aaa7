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
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wr-build/wr/host/plugin/rpc"
	"github.com/wr-build/wr/sdk/go/abi"
	"github.com/wr-build/wr/sdk/go/wr"
)

// tell feeds a plugin with events and closes the feed; its error is the first.
func tell(ctx context.Context, s *rpc.Session, f rpc.Functions, events int) error {
	feed, err := s.Feed(ctx, f)
	if err != nil {
		return err
	}
	for i := range events {
		if err := feed.Tell(abi.NoteEvent, abi.Event{Event: json.RawMessage(fmt.Sprint(i))}); err != nil {
			return errors.Join(feed.Close(ctx), err)
		}
	}
	return feed.Close(ctx)
}

func TestAPluginHearsAllInOrderAndMayAskMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var heard, want []string
		for i := range 50 {
			want = append(want, fmt.Sprintf("%d sent", i))
		}
		err := tell(t.Context(), open(t, serve(wr.Plugin{Name: "sample", Event: func(c *wr.Call, e abi.Event) error {
			r, err := c.HTTP(abi.HTTPParams{URL: string(e.Event)})
			heard = append(heard, string(r.Body))
			return err
		}}), rpc.Listener{}), functions(func(_ context.Context, _ string, params json.RawMessage) (any, *abi.Error) {
			var p abi.HTTPParams
			_ = json.Unmarshal(params, &p)
			time.Sleep(time.Second) //nolint:forbidigo // inside synctest: a fake second
			return abi.HTTPResult{Body: []byte(p.URL + " sent")}, nil
		}), 50)
		if err != nil || !slices.Equal(heard, want) {
			t.Errorf("got %q, %v", heard, err)
		}
	})
}

func TestAPluginThatDoesNotListenIsEnded(t *testing.T) {
	late := errors.New("too late")
	for name, plugin := range map[string]func(in io.Reader, out io.Writer){
		"it reads nothing": func(io.Reader, io.Writer) {},
		"it does not come to an end": func(in io.Reader, _ io.Writer) {
			_, _ = io.Copy(io.Discard, in)
		},
	} {
		t.Run(name, func(t *testing.T) { // not in synctest: who waits for a lock is not at rest there
			ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, late)
			defer cancel()
			released := make(chan struct{})
			instance := run(func(in io.Reader, out io.Writer) {
				bufio.NewScanner(in).Scan()
				_, _ = io.WriteString(out, `{"jsonrpc":"2.0","id":1,"result":{"protocol":"wr/1"}}`+"\n")
				plugin(in, out)
				<-released
			})
			kill := instance.Kill
			instance.Kill = sync.OnceFunc(func() { kill(); close(released) })
			s := open(t, instance, rpc.Listener{})
			if err := tell(ctx, s, nil, 100); !errors.Is(err, late) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestAPluginThatLeavesWhileItIsToldThings(t *testing.T) {
	early := `{"jsonrpc":"2.0","id":2,"result":{}}`
	for name, tt := range map[string]struct {
		lines []string
		want  string
	}{
		"it ends":          {nil, rpc.ErrEnded.Error()},
		"it says too much": {[]string{"a", "b", "c", "d"}, "no message"},
		"it answers early": {[]string{early}, "before it was asked"},
		"it answers other": {[]string{`{"jsonrpc":"2.0","id":7,"result":{}}`}, "request 7"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				instance := script(tt.lines...)
				feed, err := open(t, instance, rpc.Listener{}).Feed(t.Context(), nil)
				if err != nil {
					t.Fatal(err)
				}
				_ = feed.Tell(abi.NoteEvent, abi.Event{Event: json.RawMessage("1")})
				synctest.Wait()
				if err := feed.Close(t.Context()); err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("got %v, want %q", err, tt.want)
				}
			})
		})
	}
}
