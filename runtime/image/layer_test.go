package image

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

// epoch is the youngest that a file of a layer may be.
func epoch() time.Time { return time.Unix(1_700_000_000, 0).UTC() }

// pyc is a compiled file with a hash of its source.
func pyc() string {
	head := binary.LittleEndian.AppendUint32([]byte("\xa7\x0d\x0d\x0a"), 3)
	return string(head) + "HASHHASH" + "code"
}

// rootTar writes entries as mmdebstrap does.
func rootTar(t *testing.T, entries ...tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range entries {
		content := h.Linkname
		if h.Typeflag == tar.TypeReg {
			h.Linkname, h.Size = "", int64(len(content))
		}
		if h.ModTime.IsZero() {
			h.ModTime = epoch().Add(-time.Hour)
		}
		h.Name = "./" + h.Name
		if h.Mode == 0 {
			h.Mode = 0o644
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			if _, err := io.WriteString(w, content); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// file is an entry of rootTar; its content travels as Linkname.
func file(name, content string) tar.Header {
	return tar.Header{Typeflag: tar.TypeReg, Name: name, Linkname: content}
}

// rewritten maps the names of a rewritten layer to headers and contents.
func rewritten(t *testing.T, in []byte, extra ...layerFile) (map[string]*tar.Header, map[string]string, []string) {
	t.Helper()
	var out bytes.Buffer
	if err := rewriteLayer(&out, bytes.NewReader(in), epoch(), extra); err != nil {
		t.Fatal(err)
	}
	headers, contents, names := map[string]*tar.Header{}, map[string]string{}, []string(nil)
	for r := tar.NewReader(&out); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return headers, contents, names
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		headers[h.Name], contents[h.Name], names = h, string(data), append(names, h.Name)
	}
}

func TestLayerHasNothingOfThisMachine(t *testing.T) {
	young := file("etc/young", "x")
	young.ModTime, young.Uname = epoch().Add(time.Hour), "lab"
	capable := file("usr/bin/ping", "x")
	capable.PAXRecords = map[string]string{"SCHILY.xattr.security.capability": "\x01", "LIBARCHIVE.x": "y"}
	capable.ModTime = epoch().Add(-time.Hour + time.Millisecond)
	in := rootTar(t,
		tar.Header{Typeflag: tar.TypeDir, Name: "", Mode: 0o755},
		tar.Header{Typeflag: tar.TypeDir, Name: "dev/", Mode: 0o755},
		tar.Header{Typeflag: tar.TypeChar, Name: "dev/null", Devmajor: 1, Devminor: 3},
		tar.Header{Typeflag: tar.TypeDir, Name: "etc/apt/sources.list.d/", Mode: 0o755},
		file("etc/apt/sources.list", "deb http://mirror.example x main"),
		file("etc/apt/sources.list.d/0000sources.list", "deb http://mirror.example x main"),
		file("etc/apt/apt.conf.d/99mmdebstrap", "Acquire::http::Proxy \"http://me:secret@x\";"),
		file("etc/hostname", "laptop"), file("etc/resolv.conf", "nameserver 10.0.0.1"),
		young, capable,
		tar.Header{Typeflag: tar.TypeLink, Name: "etc/hard", Linkname: "./etc/young"},
	)
	headers, contents, _ := rewritten(t, in, layerFile{"etc/apt/sources.list.d/debian.sources", "Types: deb\n"})
	for _, gone := range []string{"", "dev/null", "etc/apt/sources.list", "etc/apt/sources.list.d/0000sources.list", "etc/apt/apt.conf.d/99mmdebstrap"} {
		if headers[gone] != nil {
			t.Errorf("%q is in the layer", gone)
		}
	}
	for _, here := range []string{"dev/", "etc/apt/sources.list.d/"} {
		if headers[here] == nil {
			t.Errorf("%q is not in the layer", here)
		}
	}
	for name, want := range map[string]string{"etc/hostname": "", "etc/resolv.conf": "", "etc/young": "x", "etc/apt/sources.list.d/debian.sources": "Types: deb\n"} {
		if got, ok := contents[name]; !ok || got != want {
			t.Errorf("%s: got %q, %v, want %q", name, got, ok, want)
		}
	}
	if h := headers["etc/young"]; !h.ModTime.Equal(epoch()) || h.Uname != "" {
		t.Errorf("got %v by %q", h.ModTime, h.Uname)
	}
	if h := headers["etc/hard"]; h.Linkname != "etc/young" {
		t.Errorf("got link to %q", h.Linkname)
	}
	if h := headers["usr/bin/ping"]; h.PAXRecords["SCHILY.xattr.security.capability"] != "\x01" || h.ModTime.Nanosecond() != 0 {
		t.Errorf("got %+v", h)
	}
}

func TestLayerDatesCompiledPython(t *testing.T) {
	late := file("lib/late.py", "source")
	late.ModTime = epoch().Add(time.Hour)
	unhashed := string([]byte(pyc())[:4]) + "\x00\x00\x00\x00" + "DATESIZE" + "code"
	in := rootTar(t,
		file("lib/__pycache__/a.cpython-311.pyc", pyc()), file("lib/__pycache__/a.cpython-311.opt-1.pyc", pyc()),
		file("lib/__pycache__/late.cpython-311.pyc", pyc()), file("lib/__pycache__/link.cpython-311.pyc", pyc()),
		file("lib/__pycache__/gone.cpython-311.pyc", pyc()), file("lib/__pycache__/old.cpython-311.pyc", unhashed), file("lib/__pycache__/short.cpython-311.pyc", "x"),
		file("lib/a.py", "print(1)"), late,
		tar.Header{Typeflag: tar.TypeSymlink, Name: "lib/link.py", Linkname: "/etc/real.py"},
		file("etc/real.py", "123"), file("lib/old.py", "1"), file("lib/short.py", "1"),
	)
	_, contents, names := rewritten(t, in)
	dated := func(at time.Time, size uint32) string {
		b := []byte(pyc())
		binary.LittleEndian.PutUint32(b[4:], 0)
		binary.LittleEndian.PutUint32(b[8:], uint32(at.Unix()))
		binary.LittleEndian.PutUint32(b[12:], size)
		return string(b)
	}
	for name, want := range map[string]string{
		"a.cpython-311.pyc":       dated(epoch().Add(-time.Hour), 8),
		"a.cpython-311.opt-1.pyc": dated(epoch().Add(-time.Hour), 8),
		"late.cpython-311.pyc":    dated(epoch(), 6),
		"link.cpython-311.pyc":    dated(epoch().Add(-time.Hour), 3),
		"gone.cpython-311.pyc":    pyc(),
		"old.cpython-311.pyc":     unhashed,
		"short.cpython-311.pyc":   "x",
	} {
		if got := contents["lib/__pycache__/"+name]; got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if !strings.HasSuffix(names[len(names)-1], ".pyc") || len(names) != 13 {
		t.Errorf("got order %q", names)
	}
}

func TestLayerIsTheSameTwice(t *testing.T) {
	in := rootTar(t, file("a.py", "1"), file("__pycache__/a.cpython-311.pyc", pyc()), file("b", "2"))
	var first, second bytes.Buffer
	for _, out := range []*bytes.Buffer{&first, &second} {
		if err := rewriteLayer(out, bytes.NewReader(in), epoch(), nil); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("two runs differ")
	}
}

func TestLayerThatEndsEarlyIsAnError(t *testing.T) {
	in := rootTar(t, file("a", strings.Repeat("x", 4096)))
	for _, n := range []int{0, 700} {
		if err := rewriteLayer(io.Discard, bytes.NewReader(in[:n]), epoch(), nil); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%d bytes: got %v", n, err)
		}
	}
}
