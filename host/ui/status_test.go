package ui

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"
)

func TestAStatusIsOneLineThatGoesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b bytes.Buffer
		s := NewStatus(&b, func() int { return 30 })
		s.Clear()
		s.Show("deps", "reading", 0, 0)
		s.Show("deps", "too soon for anybody to read", 1, 0)
		time.Sleep(tick) //nolint:forbidigo // inside synctest: no time passes
		s.Show("deps", "a\x1b[2J name that is longer than the terminal is", 3, 7)
		s.Clear()
		s.Clear()
		s.Show("deps", "", 8, 0)
		want := "\r\x1b[Kdeps  reading\r\x1b[Kdeps  3/7  a[2J name that is…\r\x1b[K\r\x1b[Kdeps  8"
		if b.String() != want {
			t.Errorf("got %q, want %q", b.String(), want)
		}
	})
	var nobody *Status
	nobody.Show("deps", "x", 1, 2)
	nobody.Clear()
}
