package fetch_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/wr-build/wr/host/plugin/fetch"
	"github.com/wr-build/wr/host/plugin/module"
	"github.com/wr-build/wr/host/plugin/module/moduletest"
	"github.com/wr-build/wr/host/plugin/store"
	"github.com/wr-build/wr/runtime/spec/fault"
)

const (
	section = `{"abi":"wr/1","name":"deps","version":"1.0.0","kind":"rpc","provides":{"discover":true}}`
	sidecar = "abi = \"wr/1\"\nname = \"shfmt\"\nversion = \"3.0.0\"\nkind = \"tool\"\n[provides.lint]\nglobs = [\"*.sh\"]\n" +
		"[tool]\nargs = [\"{files}\"]\n[tool.output]\nformat = \"exit\"\n"
)

// files has a module with a manifest inside, one with it beside, and others.
func files(t *testing.T) map[string][]byte {
	t.Helper()
	bare := moduletest.Return().Bytes()
	packed, err := module.WithManifest(bare, []byte(section))
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{
		"deps.wasm": packed, "shfmt.wasm": bare, "shfmt.wasm.toml": []byte(sidecar), "bare.wasm": bare,
		"both.wasm": packed, "both.wasm.toml": []byte(sidecar), "text.wasm": []byte("#!/bin/sh\n"),
		"wrong.wasm": bare, "wrong.wasm.toml": []byte(strings.Replace(sidecar, "wr/1", "wr/9", 1)),
	}
}

func TestAPluginIsGotFromAFile(t *testing.T) {
	dir, all := t.TempDir(), files(t)
	for name, data := range all {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "dir.wasm"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.wasm"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := fetch.Fetcher{Dir: dir}
	for source, want := range map[string]string{ // the plugin's name, or a code
		"deps.wasm": "deps", "shfmt.wasm": "shfmt", filepath.Join(dir, "deps.wasm"): "deps",
		"bare.wasm": "plugin.no_manifest", "both.wasm": "plugin.two_manifests", "text.wasm": module.CodeInvalid,
		"none.wasm": "plugin.not_found", "dir.wasm": "plugin.unavailable", "pipe.wasm": "plugin.unavailable", "wrong.wasm": "manifest.bad_value",
	} {
		b, err := f.Get(t.Context(), source)
		if err != nil {
			if got := fault.Of(err); got.Code != want || got.Next == "" && want != "manifest.bad_value" {
				t.Errorf("%s: got %+v, want %s", source, got, want)
			}
			continue
		}
		if b.Manifest.Name != want {
			t.Errorf("%s: got %s, want %s", source, b.Manifest.Name, want)
		}
		if digest, text := b.Digests(); digest != store.Digest(all[filepath.Base(source)]) || text != store.Digest(b.Text) || b.Sidecar != bytes.Equal(b.Text, []byte(sidecar)) {
			t.Errorf("%s: digests %s, %s", source, digest, text)
		}
	}
	f.Limits.ModuleSize = 10
	if _, err := f.Get(t.Context(), "deps.wasm"); !fault.HasCode(err, "plugin.module_limit") || !strings.Contains(err.Error(), "more than 10 bytes") {
		t.Errorf("one that is too large: %v", err)
	}
}

// server serves files over TLS, and some redirects.
func server(t *testing.T, all map[string][]byte) fetch.Fetcher {
	t.Helper()
	mux := http.NewServeMux()
	plain := httptest.NewServer(mux)
	t.Cleanup(plain.Close)
	mux.HandleFunc("/x/{name}", func(w http.ResponseWriter, r *http.Request) {
		data, ok := all[r.PathValue("name")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(data)
	})
	mux.HandleFunc("/down/{name}", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, plain.URL+"/x/"+r.PathValue("name"), http.StatusFound)
	})
	mux.HandleFunc("/moved/{name}", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/x/"+r.PathValue("name"), http.StatusFound)
	})
	mux.HandleFunc("/round/{name}", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) })
	mux.HandleFunc("/broken/{name}", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "", http.StatusBadGateway) })
	secure := httptest.NewTLSServer(mux)
	t.Cleanup(secure.Close)
	return fetch.Fetcher{Dir: secure.URL, Client: secure.Client()}
}

func TestAPluginIsGotFromAnAddress(t *testing.T) {
	f := server(t, files(t))
	at := f.Dir
	for source, want := range map[string]string{
		at + "/x/deps.wasm": "deps", at + "/x/shfmt.wasm": "shfmt", at + "/moved/deps.wasm": "deps",
		at + "/x/none.wasm": "plugin.not_found", at + "/x/bare.wasm": "plugin.no_manifest", at + "/x/both.wasm": "plugin.two_manifests",
		at + "/down/deps.wasm": "not encrypted", at + "/round/deps.wasm": "leads on", at + "/broken/deps.wasm": "502 Bad Gateway",
		strings.Replace(at, "https", "http", 1) + "/x/deps.wasm": "plugin.bad_source",
		at + "/x/../x/deps.wasm":                                 "plugin.bad_source", at + "/x/%2e%2e/x/deps.wasm": "plugin.bad_source",
		at + "/x/deps.wasm?a=b": "plugin.bad_source", at + "/x/deps.wasm#a": "plugin.bad_source", at + "/": "plugin.bad_source", at: "plugin.bad_source",
		"https://user:word@example.com/x.wasm": "plugin.bad_source", "oci://example.com/x": "plugin.bad_source",
	} {
		b, err := f.Get(t.Context(), source)
		switch {
		case err == nil && b.Manifest.Name != want:
			t.Errorf("%s: got %s, want %s", source, b.Manifest.Name, want)
		case err != nil && !strings.Contains(err.Error(), want):
			t.Errorf("%s: got %v, want %s", source, err, want)
		}
	}
	f.Limits.ModuleSize = 10
	if _, err := f.Get(t.Context(), at+"/x/deps.wasm"); err == nil || !strings.Contains(err.Error(), "more than 10 bytes") {
		t.Errorf("one that is too large: %v", err)
	}
}
