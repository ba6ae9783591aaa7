package sandbox

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
)

// received reads frames as a parent does: what was printed, notes as far as they
// were known behind each line, the last usage, and whether the child was refused.
type received struct {
	printed string
	notes   []string // a text for each line that was printed
	last    []string // notes behind all of them
	used    Usage
	tooMuch bool
	refused bool
}

func receive(from io.Reader, most int64) (r received) {
	s := &stream{
		from: bufio.NewReaderSize(from, frameHead+frameMost), most: most,
		use: func(u Usage) { r.used = u }, refuse: func() { r.refused = true },
	}
	take := func() (all []string) {
		notes, ok := s.take()
		r.tooMuch = r.tooMuch || !ok
		for _, n := range notes {
			all = append(all, string(n))
		}
		return all
	}
	b := make([]byte, 10_000)
	for {
		n, err := s.Read(b)
		r.printed += string(b[:n])
		if bytes.HasSuffix(b[:n], []byte("\n")) {
			r.notes = append(r.notes, strings.Join(take(), "+"))
		}
		if err != nil {
			r.last = take()
			return r
		}
	}
}

// send has a guest print texts, before each of which its tree has a note, if any.
func send(t *testing.T, notes, printed []string) []byte {
	t.Helper()
	file, err := os.Create(t.TempDir() + "/stdout")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	i := 0
	o := &output{file: file, left: 1 << 20, news: func() []byte {
		i++
		if i > len(notes) || notes[i-1] == "" {
			return nil
		}
		return appendFrame(nil, frameNotes, []byte(notes[i-1]), Usage{Memory: int64(i)}.encode())
	}}
	for _, text := range printed {
		if n, err := o.Write([]byte(text)); n != len(text) || err != nil {
			t.Fatalf("got %d, %v", n, err)
		}
	}
	o.flush()
	if o.left != 1<<20-o.written || o.written != int64(len(strings.Join(printed, ""))) {
		t.Errorf("left %d, written %d", o.left, o.written)
	}
	all, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestNotesComeAheadOfWhatIsPrintedAfterThem(t *testing.T) {
	long := strings.Repeat("x", 3*frameMost) + "\n"
	got := receive(bytes.NewReader(send(t, []string{"a", "", "b", "c"}, []string{"1\n", "2\n", long})), 100)
	if got.printed != "1\n2\n"+long || !slices.Equal(got.notes, []string{"a", "", "b"}) || !slices.Equal(got.last, []string{"c"}) || got.used.Memory != 4 || got.tooMuch || got.refused {
		t.Errorf("got %+v", got)
	}
}

func TestNotesThatAreTooManyAreMissed(t *testing.T) {
	all := send(t, []string{"12345", "12345", "12345"}, []string{"1", "2", "3\n"})
	if got := receive(bytes.NewReader(all), 15); got.tooMuch || !slices.Equal(got.notes, []string{"12345+12345+12345"}) {
		t.Errorf("got %+v", got)
	}
	if got := receive(bytes.NewReader(all), 14); !got.tooMuch || got.printed != "123\n" || got.used.Memory != 3 {
		t.Errorf("got %+v", got)
	}
}

func TestWhatBreaksOffEndsAndWhatIsNoFrameIsRefused(t *testing.T) {
	all := send(t, []string{"a"}, []string{"text"})
	for n := range all {
		if got := receive(bytes.NewReader(all[:n]), 100); got.refused || got.printed != "text"[:len(got.printed)] {
			t.Errorf("%d bytes: got %+v", n, got)
		}
	}
	for _, bad := range []string{"x\x00\x00\x00\x00", "n\x00\x00\x00\x01a", fmt.Sprintf("n\x00\x00\x00%c", usageSize-1)} {
		if got := receive(strings.NewReader(bad), 100); !got.refused {
			t.Errorf("%q: got %+v", bad, got)
		}
	}
}

func FuzzStream(f *testing.F) {
	f.Add([]byte("p\x00\x00\x00\x01an\x00\x00\x00\x1aab012345678901234567890123"), 10)
	f.Fuzz(func(t *testing.T, frames []byte, most int) {
		got := receive(bytes.NewReader(frames), int64(most))
		if len(got.printed)+len(strings.Join(got.notes, ""))+len(strings.Join(got.last, "")) > len(frames)+len(got.notes) {
			t.Errorf("got %+v of %q", got, frames)
		}
	})
}
