package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// pair returns two connected ends.
func pair(t testing.TB) (*Conn, *Conn) {
	t.Helper()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	var ends [2]*Conn
	for i, fd := range fds {
		if ends[i], err = FromFile(os.NewFile(uintptr(fd), "socket")); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { ends[i].Close() })
	}
	return ends[0], ends[1]
}

// frame is a message as it travels.
func frame(body string) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)
}

func TestMessagesArriveInOrderAndWhole(t *testing.T) {
	a, b := pair(t)
	sizes := []int{0, 1, 3, 4096, 70_000, 3 << 20}
	go func() {
		for _, n := range sizes {
			if err := a.Send(strings.Repeat("x", n)); err != nil {
				t.Error(err)
			}
		}
		a.Close()
	}()
	for _, n := range sizes {
		var got string
		if _, err := b.Receive(&got); err != nil || len(got) != n {
			t.Fatalf("got %d bytes, %v; want %d", len(got), err, n)
		}
	}
	if _, err := b.Receive(new(string)); err != io.EOF {
		t.Errorf("got %v at the end, want io.EOF", err)
	}
}

func TestFilesArriveWithTheirOwnMessage(t *testing.T) {
	a, b := pair(t)
	var files []*os.File
	for i := range 3 {
		name := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(name, fmt.Append(nil, i), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files = append(files, f)
	}
	if err := errors.Join(a.Send("none"), a.Send("two", files[0], files[1]), a.Send("one", files[2]), a.Send("none")); err != nil {
		t.Fatal(err)
	}
	var got []string
	for range 4 {
		var name string
		received, err := b.Receive(&name)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range received {
			data, _ := io.ReadAll(f)
			flags, _, _ := syscall.Syscall(syscall.SYS_FCNTL, f.Fd(), syscall.F_GETFD, 0)
			name += fmt.Sprintf(" %s cloexec=%d", data, flags&syscall.FD_CLOEXEC)
		}
		CloseAll(received)
		got = append(got, name)
	}
	want := "none|two 0 cloexec=1 1 cloexec=1|one 2 cloexec=1|none"
	if s := strings.Join(got, "|"); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
}

func TestFilesMayArriveInSeveralReads(t *testing.T) {
	a, b := pair(t)
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, c := range frame(`"split"`) {
		if _, _, err := a.unix.WriteMsgUnix([]byte{c}, syscall.UnixRights(int(f.Fd())), nil); err != nil {
			t.Fatal(err)
		}
	}
	var got string
	files, err := b.Receive(&got)
	defer CloseAll(files)
	if err != nil || got != "split" || len(files) != len(frame(`"split"`)) {
		t.Errorf("got %q with %d files, %v", got, len(files), err)
	}
}

func TestTooManyFilesAreRefusedAndClosed(t *testing.T) {
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fds := make([]int, 40)
	for i := range fds {
		fds[i] = int(f.Fd())
	}
	tests := map[string]func(c *net.UnixConn){
		"at once": func(c *net.UnixConn) {
			c.WriteMsgUnix(frame(`"x"`), syscall.UnixRights(fds...), nil)
		},
		"byte by byte": func(c *net.UnixConn) {
			for _, b := range frame(`"` + strings.Repeat("x", 40) + `"`) {
				c.WriteMsgUnix([]byte{b}, syscall.UnixRights(fds[0]), nil)
			}
		},
	}
	for name, send := range tests {
		t.Run(name, func(t *testing.T) {
			a, b := pair(t)
			before := openFiles(t)
			go send(a.unix)
			_, err := b.Receive(new(string))
			if err == nil || !strings.Contains(err.Error(), "more than 16 files") {
				t.Errorf("got %v", err)
			}
			if after := openFiles(t); after > before {
				t.Errorf("%d descriptors are open, %d before", after, before)
			}
			b.Close()
		})
	}
}

// openFiles counts the descriptors of this process.
func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/dev/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

func TestBadFramesAreErrors(t *testing.T) {
	tests := []struct {
		name, bytes, want string
	}{
		{"nothing", "", "EOF"},
		{"half a length", "\x00\x00", "unexpected EOF"},
		{"length without body", "\x00\x00\x00\x09", "unexpected EOF"},
		{"half a body", "\x00\x00\x00\x09\"abc", "unexpected EOF"},
		{"too long", "\xff\xff\xff\xff", "message of 4294967295 bytes is over the limit of 16777216"},
		{"empty body", "\x00\x00\x00\x00", "decode message: unexpected end of JSON input"},
		{"no JSON", "\x00\x00\x00\x03abc", "decode message: invalid character 'a' looking for beginning of value"},
		{"HTTP", "GET / HTTP/1.1\r\n\r\n", "message of 1195725856 bytes is over the limit of 16777216"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, b := pair(t)
			if _, err := a.unix.Write([]byte(tt.bytes)); err != nil {
				t.Fatal(err)
			}
			a.Close()
			if _, err := b.Receive(new(string)); err == nil || err.Error() != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestReceiveGoesOnAfterAMessageOfAnotherKind(t *testing.T) {
	a, b := pair(t)
	if err := errors.Join(a.Send("text"), a.Send(7)); err != nil {
		t.Fatal(err)
	}
	var number int
	if _, err := b.Receive(&number); err == nil {
		t.Error("a string became a number")
	}
	if _, err := b.Receive(&number); err != nil || number != 7 {
		t.Errorf("got %d, %v; want 7", number, err)
	}
}

func TestPeerThatClosesWithUnreadMessagesIsEOF(t *testing.T) {
	a, b := pair(t)
	if err := errors.Join(a.Send("never read"), b.Send("last word")); err != nil {
		t.Fatal(err)
	}
	b.Close()
	var got string
	if _, err := a.Receive(&got); err != nil || got != "last word" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := a.Receive(&got); err != io.EOF {
		t.Errorf("got %v, want io.EOF", err)
	}
}

func TestManyWritersDoNotMix(t *testing.T) {
	a, b := pair(t)
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const writers, each = 16, 50
	var writing sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			for range each {
				if err := a.Send(strings.Repeat(string(rune('a'+w)), 100*w), []*os.File{f, f, f}[:w%3]...); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range writers * each {
		var got string
		files, err := b.Receive(&got)
		if err != nil {
			t.Fatal(err)
		}
		if w := len(got) / 100; len(files) != w%3 || got != strings.Repeat(string(rune('a'+w)), 100*w) {
			t.Fatalf("message of writer %d came with %d files", w, len(files))
		}
		CloseAll(files)
	}
	writing.Wait()
}

func TestSendKeepsAFileOpenWhileAnotherGoroutineClosesIt(t *testing.T) {
	a, b := pair(t)
	for range 200 {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		closing := make(chan struct{})
		go func() { w.Close(); close(closing) }()
		err = a.Send("pipe", w)
		<-closing
		if err != nil {
			if !errors.Is(err, os.ErrClosed) {
				t.Fatal(err)
			}
			r.Close()
			continue
		}
		files, err := b.Receive(new(string))
		if err != nil || len(files) != 1 {
			t.Fatalf("got %d files, %v", len(files), err)
		}
		files[0].Write([]byte("!"))
		CloseAll(files)
		if got, _ := io.ReadAll(r); string(got) != "!" {
			t.Fatalf("another file arrived: read %q", got)
		}
		r.Close()
	}
}

func TestSendDoesNotChangeTheBlockingModeOfAFile(t *testing.T) {
	a, _ := pair(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	if err := a.Send("pipe", r); err != nil {
		t.Fatal(err)
	}
	_ = Descriptors([]*os.File{r}, func(fds []int) error {
		flags, _, _ := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fds[0]), syscall.F_GETFL, 0)
		if flags&syscall.O_NONBLOCK == 0 {
			t.Error("the pipe blocks now")
		}
		return nil
	})
}

func TestOversizedMessagesAreRefusedBeforeTheyAreSent(t *testing.T) {
	a, b := pair(t)
	if err := a.Send(strings.Repeat("x", MaxMessage)); err == nil {
		t.Error("sent more than the limit")
	}
	if err := a.Send("files", make([]*os.File, maxFiles+1)...); err == nil {
		t.Error("sent too many files")
	}
	if err := a.Send("nil", nil); err == nil {
		t.Error("sent a file that is nil")
	}
	if err := a.Send("fits"); err != nil {
		t.Fatal(err)
	}
	var got string
	if _, err := b.Receive(&got); err != nil || got != "fits" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestNothingFollowsAMessageSentInPart(t *testing.T) {
	a, b := pair(t)
	b.Close()
	first := a.Send("lost")
	if !errors.Is(first, syscall.EPIPE) {
		t.Fatalf("got %v, want EPIPE", first)
	}
	if again := a.Send("lost"); again != first {
		t.Errorf("got %v, want %v", again, first)
	}
}

func FuzzReceive(f *testing.F) {
	f.Add(frame(`{"a":1}`))
	f.Add([]byte("\x00\xff\xff\xff"))
	f.Add([]byte("\x00\x00\x00\x02{}\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, b := pair(t)
		go func() {
			a.unix.Write(data)
			a.Close()
		}()
		rest := data
		for {
			var out any
			files, err := b.Receive(&out)
			if len(files) > 0 {
				t.Fatal("files out of nowhere")
			}
			whole := len(rest) >= 4 && binary.BigEndian.Uint32(rest) <= MaxMessage && int(binary.BigEndian.Uint32(rest)) <= len(rest)-4
			if !whole {
				if err == nil {
					t.Fatalf("a message out of %q", rest)
				}
				break
			}
			rest = rest[4+binary.BigEndian.Uint32(rest):]
		}
		b.Close()
	})
}

func BenchmarkRoundTrip(b *testing.B) {
	x, y := pair(b)
	go func() {
		for {
			var got []byte
			if _, err := y.Receive(&got); err != nil {
				return
			}
			_ = y.Send(got)
		}
	}()
	message := bytes.Repeat([]byte("x"), 512)
	for b.Loop() {
		var got []byte
		if err := x.Send(message); err != nil {
			b.Fatal(err)
		}
		if _, err := x.Receive(&got); err != nil {
			b.Fatal(err)
		}
	}
}
