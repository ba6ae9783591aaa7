package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Holder returns who runs an engine on dirs, or false when nobody does.
func Holder(dirs Dirs) (Hold, bool) {
	f, err := os.Open(dirs.Lock())
	if err != nil {
		return Hold{}, false
	}
	defer f.Close()
	// Why an OFD lock and not flock: it can be asked about without being
	// taken, so that asking never makes an engine that starts just now fail.
	query := wholeFile()
	if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_GETLK, &query); err != nil || query.Type == unix.F_UNLCK {
		return Hold{}, false
	}
	return readHold(f), true
}

// acquire takes the lock of h.Dirs and writes h into it. The lock ends when
// the file is closed, by the kernel at the latest.
func acquire(h Hold) (*os.File, error) {
	f, err := os.OpenFile(h.Dirs.Lock(), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock: %w", err)
	}
	request := wholeFile()
	err = unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &request)
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
		err = held(readHold(f))
	} else if err == nil {
		err = writeHold(f, h)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// wholeFile asks for the one writer's lock of a file.
func wholeFile() unix.Flock_t { return unix.Flock_t{Type: unix.F_WRLCK} }

func writeHold(f *os.File, h Hold) error {
	text, err := json.Marshal(h)
	if err != nil {
		return err
	}
	if err := f.Truncate(0); err != nil {
		return fmt.Errorf("write lock: %w", err)
	}
	if _, err := f.WriteAt(append(text, '\n'), 0); err != nil {
		return fmt.Errorf("write lock: %w", err)
	}
	return nil
}
