package sandbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/cpu"

	"github.com/wr-build/wr/host/plugin/confine"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// maxCode is the size of compiled code that is kept, in bytes.
const maxCode = 1 << 30

// record says what compiled code must be, and the outline of its module, which is
// what a child gets to see of that. It lies where children cannot write.
type record struct {
	Code    kept `json:"code"`
	Outline kept `json:"outline"`
}

// kept is a file that must be as it was.
type kept struct {
	File   string `json:"file"` // below the folder
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// outlineFile is the outline of a module, in its folder. In the directory that a child
// compiles into it is what the child made, beside namedDir.
const outlineFile = "outline.wasm"

// namedDir has a file of the name under which wazero looks for the code of the outline.
// Why it is not asked for: no function of wazero tells.
const namedDir = "named"

// Compile compiles the module in a child, unless that has been done. Several that
// want the same wait for one of them.
func Compile(ctx context.Context, c Config) error {
	c.Limits = c.Limits.or(Default())
	return c.compile(ctx, nil)
}

// folder is where the compiled code of the module is kept: a folder for each
// version of wazero and system, in it one for each module and processor.
func (c Config) folder() string {
	key := sha256.Sum256(fmt.Append(nil, c.Digest, cpu.X86, cpu.ARM64))
	return filepath.Join(c.CacheDir, fmt.Sprintf("wazero-%s-%s-%s", wazeroVersion(), runtime.GOOS, runtime.GOARCH), hex.EncodeToString(key[:]))
}

// wazeroVersion is the version of wazero inside this program; "dev" in programs
// that do not know it, as tests.
func wazeroVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			if d.Path == "github.com/tetratelabs/wazero" {
				return d.Version
			}
		}
	}
	return "dev"
}

// stale is the fault of compiled code that is not there, or not what it was.
func stale(err error) error {
	return &fault.Error{Code: codeStale, Message: "compiled code: " + err.Error(), Err: err}
}

// verify sees whether the compiled code is what its record says.
func (c Config) verify() error {
	root, err := os.OpenRoot(c.folder())
	if err != nil {
		return err
	}
	defer root.Close()
	text, err := root.ReadFile("record.json")
	if err != nil {
		return err
	}
	var want record
	if err := json.Unmarshal(text, &want); err != nil {
		return err
	}
	for _, file := range []kept{want.Code, want.Outline} {
		if err := file.verify(root); err != nil {
			return err
		}
	}
	return nil
}

func (k kept) verify(root *os.Root) error {
	f, err := root.Open(filepath.FromSlash(k.File))
	if err != nil {
		return err
	}
	defer f.Close()
	hash := sha256.New()
	size, err := io.Copy(hash, io.LimitReader(f, maxCode))
	if err != nil {
		return err
	}
	if got := (kept{k.File, size, hex.EncodeToString(hash.Sum(nil))}); got != k {
		return fmt.Errorf("%s was changed", k.File)
	}
	return nil
}

// made is when the code that is there was made; zero = there is none.
func (c Config) made() time.Time {
	info, err := os.Stat(filepath.Join(c.folder(), "code"))
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// compile compiles the module, unless that has been done, also by somebody else who
// was waited for. Code that was made at stale is no use, whatever verify says of it.
func (c Config) compile(ctx context.Context, stale *time.Time) error {
	folder := c.folder()
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	unlock, err := lock(ctx, filepath.Join(folder, "lock"), func() { c.progress(StageWait) })
	if err != nil {
		return fmt.Errorf("wait for another wr that compiles plugin %s: %w", c.Name, err)
	}
	defer unlock()
	if c.verify() == nil && (stale == nil || !c.made().Equal(*stale)) {
		return nil
	}
	fresh := filepath.Join(folder, "fresh")
	if err := makeFresh(fresh); err != nil { // what a wr that was killed left is gone then
		return err
	}
	defer os.RemoveAll(fresh) //nolint:errcheck // the next one does it again
	if err := c.compileInto(ctx, fresh); err != nil {
		return err
	}
	c.progress(StageKeep)
	return errors.Join(keep(folder, fresh), c.trim())
}

func (c Config) progress(stage string) {
	if c.Progress != nil {
		c.Progress(Progress{Stage: stage})
	}
}

// makeFresh makes an empty directory for a child to write compiled code into.
func makeFresh(dir string) error {
	if err := errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o700)); err != nil {
		return err
	}
	if os.Geteuid() != 0 {
		return nil
	}
	return os.Chown(dir, nobody, nobody)
}

// compileInto has a child compile the module.
func (c Config) compileInto(ctx context.Context, dir string) error {
	ctx, cancel := context.WithTimeout(ctx, c.Limits.CompileTime)
	defer cancel()
	module, err := os.Open(c.Module)
	if err != nil {
		return &fault.Error{Code: CodeDigest, Message: err.Error(), Next: "wr plugin add it again", Err: err}
	}
	defer module.Close()
	code, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer code.Close()
	p, err := spawn(c.Program)
	if err != nil {
		return err
	}
	release := context.AfterFunc(ctx, func() { p.kill(c.tooLong(ctx)) })
	defer release()
	h := c.hello(confine.Rules{
		User: nobody, Group: nobody, Address: uint64(c.Limits.CompileMemory), Files: uint64(c.Limits.Files), FileSize: maxCode,
	})
	h.Compile, h.Code = true, dir
	err = p.send(h, module, code)
	if err == nil {
		_, err = p.ready(c.Progress)
	}
	if err != nil {
		return c.compileFailed(p.failed(c.Name, err))
	}
	<-p.gone // before what it wrote is looked at
	return p.control.Close()
}

// compileFailed is why a child did not compile the module, in words that fit.
func (c Config) compileFailed(err error) error {
	if full := fault.Disk(err, c.CacheDir); full != nil {
		return full
	}
	if !fault.HasCode(err, CodeMemory) {
		return err
	}
	return &fault.Error{
		Code: CodeMemory, Message: fmt.Sprintf("compiling plugin %s needs more than %d MiB", c.Name, c.Limits.CompileMemory>>20),
		Next: "build a smaller plugin, or one without huge functions; or raise limits.compile_memory of it in wr.lock", Err: err,
	}
}

func (c Config) tooLong(ctx context.Context) error {
	if cause := context.Cause(ctx); !errors.Is(cause, context.DeadlineExceeded) {
		return cause
	}
	return &fault.Error{
		Code: CodeTimeout, Message: fmt.Sprintf("compiling plugin %s took longer than %s and was stopped", c.Name, c.Limits.CompileTime),
		Next: "try again when this machine has less to do, build a smaller plugin, or raise limits.compile_time of it in wr.lock",
	}
}

// keep moves the code that a child has written to where no child can write, and
// records what it is.
func keep(folder, fresh string) error {
	from, err := os.OpenRoot(fresh)
	if err != nil {
		return err
	}
	defer from.Close()
	compiled, err1 := single(from, "wazero-*/*")
	name, err2 := single(from, namedDir+"/wazero-*/*")
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	code := filepath.Join(folder, "code")
	name = filepath.Join("code", strings.TrimPrefix(name, namedDir))
	// Why not the files themselves: who wrote them could still have them open.
	err = errors.Join(os.RemoveAll(filepath.Join(folder, "record.json")), os.RemoveAll(filepath.Join(folder, outlineFile)), os.RemoveAll(code))
	for _, dir := range []string{code, filepath.Join(folder, filepath.Dir(name))} {
		// Why twice: a mask must not keep out the user that a child becomes.
		err = errors.Join(err, os.Mkdir(dir, 0o755), os.Chmod(dir, 0o755))
	}
	if err != nil {
		return err
	}
	var r record
	r.Code, err1 = copyFile(from, compiled, folder, name)
	r.Outline, err2 = copyFile(from, outlineFile, folder, outlineFile)
	if err := errors.Join(err1, err2); err != nil {
		return errors.Join(err, os.RemoveAll(code))
	}
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	temporary := filepath.Join(folder, "record.json.tmp")
	if err := os.WriteFile(temporary, text, 0o600); err != nil {
		return err
	}
	return os.Rename(temporary, filepath.Join(folder, "record.json"))
}

// single is the one file of compiled code that a pattern matches.
func single(root *os.Root, pattern string) (string, error) {
	files, err := fs.Glob(root.FS(), pattern)
	if err != nil || len(files) != 1 {
		return "", fmt.Errorf("compiled code: %d files where one was to be", len(files))
	}
	return files[0], nil
}

// copyFile copies a file and returns the record of what it wrote. The copy can be
// read by the user that a child becomes, who gets no further than to it.
func copyFile(from *os.Root, name, folder, to string) (kept, error) {
	in, err := from.OpenFile(name, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return kept{}, err
	}
	defer in.Close()
	out, err := os.OpenFile(filepath.Join(folder, to), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return kept{}, err
	}
	hash := sha256.New()
	size, err := io.Copy(io.MultiWriter(out, hash), io.LimitReader(in, maxCode))
	if err = errors.Join(err, out.Chmod(0o644), out.Close()); err != nil {
		return kept{}, err
	}
	return kept{filepath.ToSlash(to), size, hex.EncodeToString(hash.Sum(nil))}, nil
}

// lock waits until nobody else holds the file's lock, which busy is told of once.
// Why it asks again and again: the kernel's own waiting cannot be called off.
func lock(ctx context.Context, path string, busy func()) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	tell := sync.OnceFunc(busy)
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = f.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.Join(err, f.Close())
		}
		tell()
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return nil, errors.Join(context.Cause(ctx), f.Close())
		}
	}
}
