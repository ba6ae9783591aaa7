package hook_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/hook"
	"github.com/wr-build/wr/host/plugin/call"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

// hearing is a plugin that hears of events, and what it says of them.
func hearing(t *testing.T) (*hook.Plugin, *[]string) {
	t.Helper()
	b := newBench(t)
	b.config.Grants = grants{"git"}
	b.config.Functions = func(string) call.Functions {
		return call.Functions{Git: func(context.Context) (abi.GitResult, error) { return abi.GitResult{Commit: "c0ffee"}, nil }}
	}
	var said []string
	b.config.Listener.Log = func(l abi.Log) { said = append(said, l.Message) }
	return b.plugin(t), &said
}

func TestAPluginHearsWhatHappensAndMayAskMeanwhile(t *testing.T) {
	p, said := hearing(t)
	e := p.Events(t.Context())
	e.Wait(time.Minute)
	var want []string
	for i := range 100 {
		e.Emit(event.Event{Type: event.Warning, Text: fmt.Sprint(i)})
		want = append(want, fmt.Sprintf("warning %d at c0ffee", i))
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if !slices.Equal(*said, want) {
		t.Errorf("it heard %q", *said)
	}
}

func TestNothingIsStartedWhereNothingHappens(t *testing.T) {
	b := newBench(t)
	b.config.Ready = func(context.Context) error {
		t.Error("it was started")
		return nil
	}
	if err := b.plugin(t).Events(t.Context()).Close(); err != nil {
		t.Error(err)
	}
}

func TestARunThatEndsFirstIsToldToTheEnd(t *testing.T) {
	p, said := hearing(t)
	ctx, cancel := context.WithCancel(t.Context())
	e := p.Events(ctx)
	e.Wait(time.Minute)
	cancel()
	e.Emit(event.Event{Type: event.RunFinished, Text: "interrupted"})
	if err := e.Close(); err != nil || !slices.Equal(*said, []string{"run_finished interrupted at c0ffee"}) {
		t.Errorf("it heard %q, %v", *said, err)
	}
}

func TestAPluginThatDoesNotListenHoldsNobodyUp(t *testing.T) {
	for text, code := range map[string]string{"loop": hook.CodeMissed, "panic": hook.CodeEnded} {
		t.Run(text, func(t *testing.T) {
			p, said := hearing(t)
			e, began := p.Events(t.Context()), time.Now()
			e.Wait(map[string]time.Duration{"loop": time.Second, "panic": time.Minute}[text])
			for range 20000 {
				e.Emit(event.Event{Type: event.Warning, Text: text})
			}
			if took := time.Since(began); took > 2*time.Second {
				t.Errorf("it held up who told it for %v", took)
			}
			if err := e.Close(); !fault.HasCode(err, code) || len(*said) > 0 {
				t.Errorf("got %v, it said %q", err, *said)
			}
			if out, err := task(t, p, "count"); err != nil || out != "1" {
				t.Errorf("afterwards got %q, %v", out, err)
			}
		})
	}
}

func TestHowManyEventsWereMissedIsSaid(t *testing.T) {
	p, said := hearing(t)
	e := p.Events(t.Context())
	e.Wait(time.Minute)
	const told = 50000 // more than may wait, and than it hears of meanwhile
	for range told {
		e.Emit(event.Event{Type: event.Warning, Text: "x"})
	}
	err := e.Close()
	want := fmt.Sprintf("plugin guest: it was too slow for %d events, and has not heard of them", told-len(*said))
	if !fault.HasCode(err, hook.CodeMissed) || fault.Of(err).Message != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
