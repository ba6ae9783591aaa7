package helper

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"

	"github.com/klauspost/compress/zstd"
)

const (
	dataDir    = "data"  // below the state, with a store for each manifest
	lockSuffix = ".lock" // of the file beside a store
)

// store is a directory with the unpacked helpers of one manifest.
type store struct {
	dir      string // .../data/KEY
	assets   fs.FS
	manifest manifest
}

// bin is where the programs lie.
func (s store) bin() string { return filepath.Join(s.dir, "bin") }

// stamp remembers what the files looked like when their content was checked;
// as long as they look the same, it is not read again.
type stamp map[string]look

// look is a file's outside.
type look struct {
	Inode uint64      `json:"inode"`
	Size  int64       `json:"size"`
	Mode  fs.FileMode `json:"mode"`
	Time  int64       `json:"mtime"` // ns
}

// ensure makes the directory complete and right.
func (s store) ensure() error {
	if s.intact() {
		return nil
	}
	if err := s.repair(); err != nil {
		return unpackFailed(s.bin(), err)
	}
	return nil
}

// repair unpacks what is missing or wrong, one process at a time.
func (s store) repair() error {
	if err := os.MkdirAll(s.bin(), 0o755); err != nil {
		return err
	}
	unlock, err := lock(s.dir + lockSuffix)
	if err != nil {
		return err
	}
	defer unlock()
	if s.intact() {
		return nil
	}
	s.sweep()
	for _, p := range s.manifest.Helpers {
		if s.right(p) {
			continue
		}
		if err := s.unpack(p); err != nil {
			return err
		}
	}
	return s.writeStamp()
}

// sweep removes what a killed process left half written.
func (s store) sweep() {
	for _, dir := range []string{s.dir, s.bin()} {
		entries, _ := os.ReadDir(dir)
		for _, entry := range entries {
			if strings.HasPrefix(entry.Name(), temporary) {
				_ = os.Remove(filepath.Join(dir, entry.Name()))
			}
		}
	}
}

// intact tells whether every file looks as it did when it was checked.
func (s store) intact() bool {
	data, err := os.ReadFile(s.stampFile())
	if err != nil {
		return false
	}
	var before stamp
	if err := json.Unmarshal(data, &before); err != nil {
		return false
	}
	now, err := s.stamp()
	return err == nil && reflect.DeepEqual(now, before)
}

// stamp looks at every file.
func (s store) stamp() (stamp, error) {
	now := stamp{}
	for _, p := range s.manifest.Helpers {
		info, err := os.Lstat(filepath.Join(s.bin(), p.Name))
		if err != nil {
			return nil, err
		}
		now[p.Name] = look{inode(info), info.Size(), info.Mode(), info.ModTime().UnixNano()}
	}
	return now, nil
}

// stampFile lies outside of bin, which holds programs only.
func (s store) stampFile() string { return filepath.Join(s.dir, "checked.json") }

// writeStamp remembers the files as they are.
func (s store) writeStamp() error {
	now, err := s.stamp()
	if err != nil {
		return err
	}
	data, err := json.Marshal(now)
	if err != nil {
		return err
	}
	return replace(s.stampFile(), 0o644, func(f *os.File) error {
		_, err := f.Write(data)
		return err
	})
}

// right tells whether a helper's file is what it should be, by its content.
func (s store) right(p packed) bool {
	path := filepath.Join(s.bin(), p.Name)
	info, err := os.Lstat(path)
	if err != nil || info.Mode() != 0o755 || info.Size() != p.Size {
		return false
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	return checked(f, io.Discard, p) == nil
}

// unpack writes a helper's file anew.
func (s store) unpack(p packed) error {
	in, err := s.assets.Open(p.file())
	if err != nil {
		return damaged(p.Name, err)
	}
	defer in.Close()
	plain, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return damaged(p.Name, err)
	}
	defer plain.Close()
	return replace(filepath.Join(s.bin(), p.Name), 0o755, func(f *os.File) error {
		err := checked(plain, f, p)
		if _, ok := errors.AsType[*fs.PathError](err); ok || err == nil {
			return err // the disk's fault
		}
		return damaged(p.Name, err)
	})
}

// checked copies and fails when what it copied is not the helper p.
func checked(in io.Reader, out io.Writer, p packed) error {
	hash := sha256.New()
	n, err := io.Copy(io.MultiWriter(out, hash), io.LimitReader(in, p.Size+1))
	if err != nil {
		return err
	}
	if sum := hex.EncodeToString(hash.Sum(nil)); n != p.Size || sum != p.SHA256 {
		return fmt.Errorf("%d bytes with sha256 %s instead of %d with %s", n, sum, p.Size, p.SHA256)
	}
	return nil
}

// temporary begins the names of files that are being written.
const temporary = ".new-"

// replace writes a file in full or not at all. A program that runs from the
// old file goes on.
func replace(path string, mode fs.FileMode, write func(*os.File) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), temporary+"*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // nothing after the rename
	defer f.Close()
	if err := write(f); err != nil {
		return err
	}
	if err := errors.Join(f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// lock takes an exclusive lock, which ends with the process at the latest.
func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return func() { _ = f.Close() }, nil
}

// inode is the number of a file in its file system.
func inode(info fs.FileInfo) uint64 {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0
	}
	return stat.Ino
}
