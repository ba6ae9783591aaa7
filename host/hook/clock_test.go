package hook

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestTheTimeThatTheHostNeedsIsNotThePlugins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, c, stop := startClock(t.Context(), 10*time.Second)
		defer stop()
		began := time.Now()
		<-time.After(4 * time.Second)
		c.hold()
		<-time.After(time.Hour)
		c.hold() // a second one waits, too
		<-time.After(time.Hour)
		c.release()
		<-time.After(time.Hour)
		c.release()
		<-ctx.Done()
		if took := time.Since(began); took != 3*time.Hour+10*time.Second || !errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
			t.Errorf("ended after %v: %v", took, context.Cause(ctx))
		}
	})
}

func TestAClockThatWasStoppedEndsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, _, stop := startClock(t.Context(), time.Second)
		stop()
		<-time.After(time.Minute)
		if !errors.Is(context.Cause(ctx), context.Canceled) {
			t.Errorf("ended by %v", context.Cause(ctx))
		}
	})
}
