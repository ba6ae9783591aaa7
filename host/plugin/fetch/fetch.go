// Package fetch gets plugins from where they lie: a file, an https address, or wr
// itself.
// It judges the module and says what the plugin wants; whether it is the one that
// was meant is for who knows the digest.
package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/plugin/manifest"
	"github.com/wr-build/wr/host/plugin/module"
	"github.com/wr-build/wr/host/plugin/store"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// maxRedirects is how often an address may lead to another one.
const maxRedirects = 5

// Bundle is a plugin that was got.
type Bundle struct {
	Source   string
	Module   []byte
	Text     []byte // of the manifest, wherever it was
	Sidecar  bool   // the manifest lay beside the module
	Manifest *manifest.Manifest
	Summary  module.Summary
}

// Digests of the module and of the manifest, as wr.lock has them.
func (b Bundle) Digests() (module, manifest string) {
	return store.Digest(b.Module), store.Digest(b.Text)
}

// Fetcher gets plugins.
type Fetcher struct {
	Dir    string         // what paths start from: where the command works, or the workspace's root
	Client *http.Client   // its transport; redirects are judged here
	Taken  manifest.Words // names that plugins cannot have
	Limits module.Limits
	// Builtin returns the module of a plugin that wr carries; nil = it carries none.
	Builtin func(name string) ([]byte, error)
}

// Get gets a plugin.
func (f Fetcher) Get(ctx context.Context, source string) (Bundle, error) {
	read := f.file
	switch config.SourceKind(source) {
	case config.SourceFile:
	case config.SourceBuiltin:
		return f.carried(source)
	default:
		at, err := address(source)
		if err != nil {
			return Bundle{}, err
		}
		read = func(name string, most int64) ([]byte, error) {
			return f.download(ctx, at.JoinPath("..", path.Base(name)), most)
		}
	}
	data, err := read(source, int64(f.most()))
	if errors.Is(err, fs.ErrNotExist) {
		return Bundle{}, missing(source, err)
	} else if err != nil {
		return Bundle{}, unavailable(source, err)
	}
	return f.open(source, data, read)
}

// carried gets a plugin that wr carries, whose manifest is inside.
func (f Fetcher) carried(source string) (Bundle, error) {
	name := strings.TrimPrefix(source, config.BuiltinSource(""))
	get := f.Builtin
	if get == nil {
		get = func(string) ([]byte, error) { return nil, fs.ErrNotExist }
	}
	data, err := get(name)
	if errors.Is(err, fs.ErrNotExist) {
		return Bundle{}, &fault.Error{
			Code: "plugin.not_carried", Message: "this wr carries no plugin " + name, Err: err,
			Next: "wr plugin ls --available; a wr that make build has built carries some",
		}
	}
	if err != nil {
		return Bundle{}, unavailable(source, err)
	}
	return f.open(source, data, func(string, int64) ([]byte, error) { return nil, fs.ErrNotExist })
}

func (f Fetcher) most() int {
	if f.Limits.ModuleSize > 0 {
		return f.Limits.ModuleSize
	}
	return module.Default().ModuleSize
}

// open judges a module and finds its manifest.
func (f Fetcher) open(source string, data []byte, read func(string, int64) ([]byte, error)) (Bundle, error) {
	b := Bundle{Source: source, Module: data}
	var err error
	if b.Summary, err = module.Check(data, f.Limits); err != nil {
		return Bundle{}, in(source, err)
	}
	section, inside, err := module.Manifest(data)
	if err != nil {
		return Bundle{}, in(source, err)
	}
	beside, err := read(source+manifest.Sidecar, manifest.MaxSize)
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return Bundle{}, unavailable(source+manifest.Sidecar, err)
	case err == nil && inside:
		return Bundle{}, twoManifests(source)
	case err == nil:
		b.Text, b.Sidecar = beside, true
	case inside:
		b.Text = section
	default:
		return Bundle{}, noManifest(source)
	}
	b.Manifest, err = Parse(b.Text, source, f.Taken)
	return b, err
}

// Parse reads a manifest as it lies in a module or beside it. JSON begins with a
// brace, and TOML never does.
func Parse(text []byte, source string, taken manifest.Words) (*manifest.Manifest, error) {
	if strings.HasPrefix(strings.TrimSpace(string(text[:min(len(text), 100)])), "{") {
		return manifest.Parse(text, source, taken)
	}
	return manifest.ParseSidecar(text, source+manifest.Sidecar, taken)
}

// file reads a file of at most so many bytes.
func (f Fetcher) file(name string, most int64) ([]byte, error) {
	if !filepath.IsAbs(name) {
		name = filepath.Join(f.Dir, filepath.FromSlash(name))
	}
	// Why not to wait: a pipe would have wr wait for who writes into it.
	file, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(err, errors.New("it is no file"))
	}
	return bounded(file, most)
}

// address reads an address, which has one spelling: policies judge it by how it begins.
func address(source string) (*url.URL, error) {
	u, err := url.Parse(source)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" ||
		u.RawPath != "" || path.Clean(u.Path) != u.Path || u.Path == "/" {
		return nil, &fault.Error{
			Code: "plugin.bad_source", Class: fault.Usage, Message: fmt.Sprintf("%q is not an address that plugins can come from", source),
			Next: "use a file, or an address such as https://example.com/plugins/lint.wasm", Err: err,
		}
	}
	return u, nil
}

// download gets what is at an address.
func (f Fetcher) download(ctx context.Context, at *url.URL, most int64) ([]byte, error) {
	client := http.Client{CheckRedirect: staysSafe}
	if f.Client != nil {
		client.Transport, client.Timeout = f.Client.Transport, f.Client.Timeout
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(r)
	if around, ok := errors.AsType[*url.Error](err); ok {
		return nil, around.Err // what the others say, the address among it, is said anyway
	}
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusOK:
		return bounded(response.Body, most)
	case http.StatusNotFound, http.StatusGone:
		return nil, fmt.Errorf("%s: %w", response.Status, fs.ErrNotExist)
	default:
		return nil, errors.New(response.Status)
	}
}

// staysSafe follows a redirect to where nobody in between can change what comes.
func staysSafe(next *http.Request, via []*http.Request) error {
	if next.URL.Scheme != "https" {
		return fmt.Errorf("it leads to %s, which is not encrypted", next.URL.Redacted())
	}
	if len(via) > maxRedirects {
		return fmt.Errorf("it leads on more than %d times", maxRedirects)
	}
	return nil
}

func bounded(r io.Reader, most int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && int64(len(data)) > most {
		return nil, fmt.Errorf("%w: it has more than %d bytes", errLarge, most)
	}
	return data, err
}

// errLarge is that a file is longer than a plugin's may be.
var errLarge = errors.New("too large")

// in says of which file a fault of a module is.
func in(source string, err error) error {
	f := *fault.Of(err)
	f.File, f.Err = source, err
	return &f
}

func missing(source string, err error) error {
	return &fault.Error{
		Code: "plugin.not_found", Message: "there is no " + source, Err: err,
		Next: "build it, or restore it, or name another one",
	}
}

func unavailable(source string, err error) error {
	if errors.Is(err, errLarge) {
		return &fault.Error{
			Code: module.CodeLimit, File: source, Message: err.Error(), Err: err,
			Next: "make it smaller; or, of a module that you trust, raise limits.module_size",
		}
	}
	return &fault.Error{Code: "plugin.unavailable", Message: source + ": " + err.Error(), Err: err, Next: "try again, or name a file"}
}

func noManifest(source string) error {
	return &fault.Error{
		Code: "plugin.no_manifest", Class: fault.Usage, File: source, Message: "the module does not say what it is and what it needs",
		Next: "write that into " + path.Base(source) + manifest.Sidecar + " beside it",
	}
}

func twoManifests(source string) error {
	return &fault.Error{
		Code: "plugin.two_manifests", Class: fault.Usage, File: source, Message: "the module has a manifest, and another one lies beside it",
		Next: "remove " + path.Base(source) + manifest.Sidecar,
	}
}
