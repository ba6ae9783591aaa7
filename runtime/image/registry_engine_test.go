//go:build linux && engine

package image_test

import (
	"archive/tar"
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/pkg/namespaces"
	distribution "github.com/google/go-containerregistry/pkg/registry"

	"github.com/wr-build/wr/runtime/image"
	"github.com/wr-build/wr/runtime/registry"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// served is a registry on loopback that wants a password.
type served struct {
	host      string
	manifests atomic.Int32 // manifests that were written under a tag
	cut       atomic.Int32 // answers with a layer to break off in the middle
	resumed   atomic.Int32 // requests for the rest of a layer
	sent      atomic.Int64 // bytes of layers
	limit     atomic.Int64 // of sent, after which every answer breaks off; 0: none
	together  chan func()  // where writers of tags meet before one writes; nil: nowhere
	obeys     bool         // If-None-Match: *
}

// serveRegistry starts one; it ends with the test.
func serveRegistry(t *testing.T) *served {
	t.Helper()
	s := &served{}
	behind := distribution.New(distribution.Logger(log.New(io.Discard, "", 0)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "ada" || password != "secret" {
			w.Header().Set("WWW-Authenticate", `Basic realm="acme"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/manifests/") && !strings.Contains(r.URL.Path, "sha256:") {
			s.writeTag(w, r, behind)
			return
		}
		layer := r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/")
		if layer && r.Header.Get("Range") != "" && r.Header.Get("Range") != "bytes=0-" {
			s.resumed.Add(1)
		}
		if layer && s.cut.Add(-1) >= 0 {
			w = &cutOff{ResponseWriter: w}
		}
		if layer {
			w = &counted{w, s}
		}
		if layer && r.Header.Get("Range") != "" {
			serveRange(w, r, behind)
			return
		}
		behind.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	s.host = strings.TrimPrefix(server.URL, "http://")
	return s
}

// serveRange serves a part of a blob as registries do; the one of the tests
// knows only parts that have an end.
func serveRange(w http.ResponseWriter, r *http.Request, behind http.Handler) {
	whole := r.Clone(r.Context())
	whole.Header.Del("Range")
	answer := httptest.NewRecorder()
	behind.ServeHTTP(answer, whole)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(answer.Body.Bytes()))
}

// bigTar writes a root file system of one file that does not fit into a single
// answer of a connection that is cut off.
func bigTar(w io.Writer) error { return fileTar(w, "big", 1<<20) }

// fileTar writes a root file system of one file.
func fileTar(w io.Writer, name string, size int) error {
	out := tar.NewWriter(w)
	data := bytes.Repeat([]byte("0123456789abcdef"), size/16)
	if err := out.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(len(data))}); err != nil {
		return err
	}
	if _, err := out.Write(data); err != nil {
		return err
	}
	return out.Close()
}

// cutOff breaks a connection off after the first 100 kB of an answer.
type cutOff struct {
	http.ResponseWriter
	written int
}

func (c *cutOff) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p[:min(len(p), 100_000-c.written)])
	if c.written += n; c.written == 100_000 {
		_ = http.NewResponseController(c.ResponseWriter).Flush()
		panic(http.ErrAbortHandler)
	}
	return n, err
}

// login writes a docker config with a password for the registry.
func (s *served) login(t *testing.T, password string) string {
	t.Helper()
	dir := t.TempDir()
	auth := base64.StdEncoding.EncodeToString([]byte("ada:" + password))
	must(t, os.WriteFile(filepath.Join(dir, "config.json"), fmt.Appendf(nil, `{"auths":{%q:{"auth":%q}}}`, s.host, auth), 0o600))
	return dir
}

// helped writes a docker config with a credential helper, and the helper.
func (s *served) helped(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	helper := "#!/bin/sh\ncat >/dev/null\necho '{\"ServerURL\":\"\",\"Username\":\"ada\",\"Secret\":\"secret\"}'\n"
	must(t, os.WriteFile(filepath.Join(dir, "docker-credential-test"), []byte(helper), 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "config.json"), fmt.Appendf(nil, `{"credHelpers":{%q:"test"}}`, s.host), 0o600))
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	return dir
}

// openRegistry copies images with the credentials in a directory.
func openRegistry(t *testing.T, dockerConfig string) *registry.Registry {
	t.Helper()
	r := registry.New(registry.Config{ContainerdSocket: dirs().ContainerdSocket(), Namespace: image.Namespace, DockerConfig: dockerConfig})
	t.Cleanup(func() { must(t, r.Close()) })
	return r
}

// built builds an image from tiny whose content is text, and removes it after
// the test.
func built(t *testing.T, builder *image.Builder, text string) spec.Image {
	t.Helper()
	return builtAs(t, builder, "", text)
}

// builtAs is built under a name of the test's choice, "" for none.
func builtAs(t *testing.T, builder *image.Builder, ref, text string) spec.Image {
	t.Helper()
	b := project(t, "FROM TINY\nCOPY x /x\n", map[string]string{"x": text})
	b.Ref = cmp.Or(ref, b.Ref)
	made, err := builder.Build(t.Context(), b, nil)
	must(t, err)
	t.Cleanup(func() { must(t, builder.Forget(context.WithoutCancel(t.Context()), made.Ref)) })
	return made
}

func TestAnImageComesBackFromTheRegistryAsItWas(t *testing.T) {
	builder, bases := connect(t)
	importTiny(t, bases)
	s := serveRegistry(t)
	for name, credentials := range map[string]string{"password": s.login(t, "secret"), "helper": s.helped(t)} {
		t.Run(name, func(t *testing.T) {
			r := openRegistry(t, credentials)
			made := built(t, builder, name)
			c := spec.Copy{Local: made.Ref, Remote: s.host + "/acme/web:in-" + name, Labels: map[string]string{"wr.project": "web"}}
			if _, ok, err := r.Pull(t.Context(), c, nil); ok || err != nil {
				t.Fatalf("pull before the push: %v, %v", ok, err)
			}
			pushed, err := r.Push(t.Context(), c, nil)
			if err != nil || pushed.There || pushed.Digest != made.Digest {
				t.Fatalf("got %+v, %v, want %s", pushed, err, made.Digest)
			}
			must(t, builder.Forget(t.Context(), made.Ref))
			if _, ok, err := builder.Lookup(t.Context(), made.Ref); ok || err != nil {
				t.Fatalf("the image is still there: %v, %v", ok, err)
			}
			pulled, ok, err := r.Pull(t.Context(), c, nil)
			if err != nil || !ok || pulled.Digest != made.Digest || pulled.Labels["wr.project"] != "web" {
				t.Fatalf("got %+v, %v, %v", pulled, ok, err)
			}
			client := store(t)
			ctx := namespaces.WithNamespace(t.Context(), image.Namespace)
			stored, err := client.GetImage(ctx, made.Ref)
			must(t, err)
			if unpacked, err := stored.IsUnpacked(ctx, "overlayfs"); err != nil || !unpacked {
				t.Errorf("it is not unpacked: %v", err)
			}
			if left, err := client.LeasesService().List(ctx, "id~=^wr-pull-"); err != nil || len(left) > 0 {
				t.Errorf("leases are left: %v, %v", left, err)
			}
		})
	}
}

func TestATagOfInputsIsWrittenOnce(t *testing.T) {
	builder, bases := connect(t)
	importTiny(t, bases)
	s := serveRegistry(t)
	r := openRegistry(t, s.login(t, "secret"))
	var made []spec.Image
	for i := range 4 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			b := project(t, "FROM TINY\nCOPY x /x\n", map[string]string{"x": fmt.Sprint("build ", i)})
			image, err := builder.Build(t.Context(), b, nil)
			must(t, err)
			made = append(made, image)
		})
	}
	t.Cleanup(func() {
		for _, one := range made {
			must(t, builder.Forget(context.WithoutCancel(t.Context()), one.Ref))
		}
	})
	remote := s.host + "/acme/web:in-one"
	first, err := r.Push(t.Context(), spec.Copy{Local: made[0].Ref, Remote: remote}, nil)
	must(t, err)
	var all sync.WaitGroup
	for _, one := range made {
		all.Go(func() {
			got, err := r.Push(t.Context(), spec.Copy{Local: one.Ref, Remote: remote}, nil)
			if err != nil || !got.There || got.Digest != first.Digest {
				t.Errorf("got %+v, %v, want the first, %s", got, err, first.Digest)
			}
		})
	}
	all.Wait()
	if n := s.manifests.Load(); n != 1 {
		t.Errorf("the tag was written %d times", n)
	}
}

func TestAPullGoesOnWhereItBrokeOff(t *testing.T) {
	builder, bases := connect(t)
	s := serveRegistry(t)
	r := openRegistry(t, s.login(t, "secret"))
	// A base of its own content, as BuildKit keeps layers that it has seen.
	made, err := image.Import(t.Context(), bases, "acme/big", bigTar)
	must(t, err)
	c := spec.Copy{Local: made.Ref, Remote: s.host + "/acme/web:in-big"}
	_, err = r.Push(t.Context(), c, nil)
	must(t, err)
	must(t, builder.Forget(t.Context(), made.Ref))
	s.cut.Store(3)
	pulled, ok, err := r.Pull(t.Context(), c, func(step spec.Step) { t.Log(step.Name) })
	if err != nil || !ok || pulled.Digest != made.Digest {
		t.Fatalf("got %+v, %v, %v", pulled, ok, err)
	}
	must(t, builder.Forget(t.Context(), made.Ref))
	if s.resumed.Load() == 0 {
		t.Error("nothing was fetched from the middle")
	}
}

func TestWhatARegistryRefusesIsSaid(t *testing.T) {
	builder, bases := connect(t)
	importTiny(t, bases)
	s := serveRegistry(t)
	made := built(t, builder, "refused")
	for name, tt := range map[string]struct{ dockerConfig, host, code string }{
		"nobody listens": {s.login(t, "secret"), "127.0.0.1:1", "registry.unreachable"},
		"wrong password": {s.login(t, "guess"), s.host, "registry.denied"},
		"no password":    {t.TempDir(), s.host, "registry.denied"},
	} {
		t.Run(name, func(t *testing.T) {
			r := openRegistry(t, tt.dockerConfig)
			c := spec.Copy{Local: made.Ref, Remote: tt.host + "/acme/web:in-x"}
			_, _, pullErr := r.Pull(t.Context(), c, nil)
			_, pushErr := r.Push(t.Context(), c, nil)
			for verb, err := range map[string]error{"pull": pullErr, "push": pushErr} {
				if f := fault.Of(err); f == nil || f.Code != tt.code || f.Next == "" || !strings.Contains(f.Message, verb+" "+c.Remote) {
					t.Errorf("%s: got %+v", verb, f)
				}
			}
		})
	}
}

func TestABaseMayBePrivate(t *testing.T) {
	builder, bases := connect(t)
	importTiny(t, bases)
	s := serveRegistry(t)
	credentials := s.login(t, "secret")
	_, err := openRegistry(t, credentials).Push(t.Context(), spec.Copy{Local: tiny + ":latest", Remote: s.host + "/acme/private:1"}, nil)
	must(t, err)
	b := project(t, "FROM "+s.host+"/acme/private:1\nRUN test -x /bin/cat\n", nil)
	if _, err := builder.Build(t.Context(), b, nil); fault.Of(err).Code != "image.base_missing" {
		t.Errorf("without a password: got %v", err)
	}
	allowed := image.NewBuilder(image.Config{
		BuildkitSocket: dirs().BuildkitSocket(), ContainerdSocket: dirs().ContainerdSocket(), DockerConfig: credentials,
	})
	t.Cleanup(func() { must(t, allowed.Close()) })
	made, err := allowed.Build(t.Context(), b, nil)
	if err != nil {
		t.Fatalf("with a password: %v\n%s", err, fault.Of(err).Details)
	}
	must(t, allowed.Forget(t.Context(), made.Ref))
}
