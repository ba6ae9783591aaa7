//go:build linux && engine

package image_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	containerd "github.com/containerd/containerd/v2/client"

	"github.com/wr-build/wr/runtime/image"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// project makes a build context with a Dockerfile.
func project(t *testing.T, dockerfile string, files map[string]string) spec.Build {
	t.Helper()
	dir := t.TempDir()
	put := func(name, text string) {
		must(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	put("devops/Dockerfile", strings.ReplaceAll(dockerfile, "TINY", tiny))
	for name, text := range files {
		put(name, text)
	}
	name := strings.ToLower(strings.NewReplacer("/", "-", "_", "-").Replace(t.Name()))
	return spec.Build{Project: "apps/web", Folder: "apps/web", Ref: "wr.local/" + name + ":key", Context: dir, Dockerfile: "devops/Dockerfile"}
}

// steps collects what a build reports.
type steps struct {
	mu  sync.Mutex
	all []spec.Step
}

func (s *steps) add(step spec.Step) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, step)
}

// ended maps the names of RUN and COPY steps to their last state.
func (s *steps) ended() map[string]spec.Step {
	last := map[string]spec.Step{}
	for _, step := range s.all {
		if step.Log == "" && (strings.Contains(step.Name, "] RUN ") || strings.Contains(step.Name, "] COPY ")) {
			last[step.Name] = step
		}
	}
	return last
}

const twoStages = `# syntax=docker/dockerfile:1.99
FROM TINY AS made
ARG WORD=hello
COPY word /word
RUN test "$(cat /word)" = "$WORD" && echo made of $WORD && echo $WORD > /out
FROM TINY
LABEL org.example=yes
COPY --from=made /out /in
RUN test "$(cat /in)" = hello
CMD ["cat", "/in"]
`

func TestBuild(t *testing.T) {
	builder, bases := connect(t)
	importTiny(t, bases)
	b := project(t, twoStages, map[string]string{"word": "hello", "unread": "x"})
	b.Labels = map[string]string{"wr.key": "abc"}
	var first steps
	got, err := builder.Build(t.Context(), b, first.add)
	must(t, err)

	t.Run("the image is in the store, labelled and unpacked", func(t *testing.T) {
		found, ok, err := builder.Lookup(t.Context(), b.Ref)
		must(t, err)
		if !ok || found.Digest != got.Digest || found.Ref != b.Ref || found.Size < 1000 || found.Created.IsZero() {
			t.Errorf("got %+v, %v, want %+v", found, ok, got)
		}
		if found.Labels["wr.key"] != "abc" || found.Labels[image.LabelProject] != "apps/web" {
			t.Errorf("got labels %v", found.Labels)
		}
		c, err := containerd.New(dirs().ContainerdSocket(), containerd.WithDefaultNamespace(image.Namespace))
		must(t, err)
		defer c.Close()
		stored, err := c.GetImage(t.Context(), b.Ref)
		must(t, err)
		if ok, err := stored.IsUnpacked(t.Context(), "overlayfs"); err != nil || !ok {
			t.Errorf("unpacked: got %v, %v", ok, err)
		}
		config, err := stored.Spec(t.Context())
		must(t, err)
		if config.Config.Labels["wr.key"] != "abc" || config.Config.Labels["org.example"] != "yes" || len(config.Config.Cmd) != 2 {
			t.Errorf("got config %+v", config.Config)
		}
	})
	t.Run("progress tells steps, output and what is ignored", func(t *testing.T) {
		if n := len(first.ended()); n != 4 {
			t.Errorf("got %d steps, want 4: %v", n, first.ended())
		}
		var output, notes strings.Builder
		for _, s := range first.all {
			output.WriteString(s.Log)
			if strings.HasPrefix(s.ID, "note ") {
				notes.WriteString(s.Name)
			}
		}
		if !strings.Contains(output.String(), "made of hello\n") || !strings.Contains(notes.String(), "syntax=docker/dockerfile:1.99 is ignored") {
			t.Errorf("got output %q, notes %q", output.String(), notes.String())
		}
	})
	t.Run("building again takes all from the cache", func(t *testing.T) {
		var second steps
		again, err := builder.Build(t.Context(), b, second.add)
		must(t, err)
		if again.Digest != got.Digest {
			t.Errorf("got digest %s, want %s", again.Digest, got.Digest)
		}
		for name, s := range second.ended() {
			if !s.Cached || !s.Done {
				t.Errorf("%s: got %+v", name, s)
			}
		}
	})
	t.Run("no cache runs all again", func(t *testing.T) {
		var third steps
		without := b
		without.NoCache = true
		_, err := builder.Build(t.Context(), without, third.add)
		must(t, err)
		for name, s := range third.ended() {
			if s.Cached && strings.Contains(name, "RUN") {
				t.Errorf("%s came from the cache", name)
			}
		}
	})
	t.Run("an image that is not there", func(t *testing.T) {
		if _, ok, err := builder.Lookup(t.Context(), "wr.local/nothing"); ok || err != nil {
			t.Errorf("got %v, %v", ok, err)
		}
	})
}

// BuildKit knows a file by size and time; the content must count all the same.
func TestBuildSeesAnEditThatKeepsSizeAndTime(t *testing.T) {
	builder, bases := connect(t)
	importTiny(t, bases)
	b := project(t, "FROM TINY\nARG WORD\nCOPY word /word\nRUN test \"$(cat /word)\" = $WORD\n", map[string]string{"word": "hello"})
	file, at := filepath.Join(b.Context, "word"), time.Unix(1_700_000_000, 0)
	for _, word := range []string{"hello", "world", "again"} {
		must(t, os.WriteFile(file, []byte(word), 0o644))
		must(t, os.Chtimes(file, at, at))
		b.Args = map[string]string{"WORD": word}
		if _, err := builder.Build(t.Context(), b, nil); err != nil {
			t.Fatalf("%s: %v", word, fault.Of(err))
		}
	}
}

// A Dockerfile that is no file, with what it leaves out of the context.
func TestBuildOfATextWithItsOwnIgnoreFile(t *testing.T) {
	builder, bases := connect(t)
	importTiny(t, bases)
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	b := project(t, "FROM none\n", map[string]string{"a/x": "x", "b/y": "y", ".dockerignore": "a\n"})
	for _, text := range []string{"RUN test -f /c/a/x && test ! -e /c/b\n", "RUN test ! -e /c/b && test -f /c/a/x\n"} { // of the same size
		b.Text, b.Ignore = "FROM "+tiny+"\nCOPY . /c\n"+text, []string{"**", "!a"}
		if _, err := builder.Build(t.Context(), b, nil); err != nil {
			t.Fatalf("%s: %v", text, fault.Of(err))
		}
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("it leaves %v, %v", left, err)
	}
}

// Two projects whose files are the same to stat must not be mixed up.
func TestBuildKeepsContextsApart(t *testing.T) {
	builder, bases := connect(t)
	importTiny(t, bases)
	at := time.Unix(1_700_000_000, 0)
	for _, word := range []string{"hello", "world"} {
		b := project(t, "FROM TINY\nARG WORD\nCOPY word /word\nRUN test \"$(cat /word)\" = $WORD\n", map[string]string{"word": word})
		must(t, os.Chtimes(filepath.Join(b.Context, "word"), at, at))
		b.Args = map[string]string{"WORD": word}
		if _, err := builder.Build(t.Context(), b, nil); err != nil {
			t.Fatalf("%s: %v", word, fault.Of(err))
		}
	}
}

// The key does not tell such modes apart, so the image must not either.
func TestBuildSeesModesAsGitDoes(t *testing.T) {
	builder, bases := connect(t)
	importTiny(t, bases)
	b := project(t, "FROM TINY\nCOPY f x d /to/\nCOPY d /to/d\nRUN stat -c %a.%u.%g /to/f /to/x /to/d /to/d/g > /modes && test \"$(cat /modes)\" = \"$(echo 644.0.0; echo 755.0.0; echo 755.0.0; echo 644.0.0)\"\n",
		map[string]string{"f": "1", "x": "2", "d/g": "3"})
	for name, mode := range map[string]os.FileMode{"f": 0o660, "x": 0o710, "d": 0o2700 | os.ModeSetgid, "d/g": 0o606} {
		must(t, os.Chmod(filepath.Join(b.Context, name), mode))
	}
	must(t, os.Chown(filepath.Join(b.Context, "f"), 1234, 1234))
	if _, err := builder.Build(t.Context(), b, nil); err != nil {
		t.Fatalf("%+v", fault.Of(err))
	}
}

func TestBuildFaults(t *testing.T) {
	builder, bases := connect(t)
	importTiny(t, bases)
	cases := []struct {
		name, dockerfile, code, message, details, next, hint string
		line                                                 int
	}{
		{
			name: "a command that fails", dockerfile: "FROM TINY\n\nRUN echo fine\nRUN echo what went wrong; \\\n  exit 3\n",
			code: "image.build_failed", line: 4, message: "exit code: 3", details: "what went wrong",
		},
		{
			name: "a source that is not there", dockerfile: "FROM TINY\nCOPY missing.txt /\n",
			code: "image.build_failed", line: 2, message: "missing.txt is not in the build context", next: ".dockerignore",
		},
		{
			name: "a base that is nowhere", dockerfile: "FROM TINY\nFROM 127.0.0.1:1/acme/tinny\n",
			code: "image.base_missing", line: 2, message: "127.0.0.1:1/acme/tinny is not in the local store", next: "wr image base create 127.0.0.1:1/acme/tinny --suite ", hint: tiny,
		},
		{name: "an instruction that is none", dockerfile: "FROM TINY\nRUNN true\n", code: "image.dockerfile_invalid", line: 2, message: "RUNN", hint: "RUN"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := builder.Build(t.Context(), project(t, c.dockerfile, nil), nil)
			f := fault.Of(err)
			if f == nil {
				t.Fatal("no error")
			}
			if f.Code != c.code || f.Line != c.line || f.File != "apps/web/devops/Dockerfile" || f.Hint != c.hint {
				t.Errorf("got %+v", f)
			}
			for _, pair := range [][2]string{{f.Message, c.message}, {f.Details, c.details}, {f.Next, c.next}} {
				if !strings.Contains(pair[0], pair[1]) {
					t.Errorf("got %q, want %q in it", pair[0], pair[1])
				}
			}
		})
	}
	t.Run("no Dockerfile", func(t *testing.T) {
		b := project(t, "FROM TINY", nil)
		b.Dockerfile = "nowhere"
		if _, err := builder.Build(t.Context(), b, nil); !fault.HasCode(err, "image.no_dockerfile") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("no engine", func(t *testing.T) {
		off := image.NewBuilder(image.Config{BuildkitSocket: "/nowhere/b.sock", ContainerdSocket: "/nowhere/c.sock"})
		defer off.Close()
		if _, err := off.Build(t.Context(), project(t, "FROM TINY", nil), nil); !fault.HasCode(err, "engine.unreachable") {
			t.Errorf("got %v", err)
		}
	})
}

func TestCancelledBuildLeavesNothingRunning(t *testing.T) {
	builder, bases := connect(t)
	importTiny(t, bases)
	stop := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	var at time.Time
	_, err := builder.Build(ctx, project(t, "FROM TINY\nRUN echo started; sleep 98765.25\n", nil), func(s spec.Step) {
		if strings.Contains(s.Log, "started") {
			at = time.Now()
			cancel(stop)
		}
	})
	if !errors.Is(err, stop) {
		t.Fatalf("got %v, want the cause", err)
	}
	t.Logf("returned %v after it was cancelled", time.Since(at))
	eventually(t, "the step's process ends", func() bool { return !runs(t, "98765.25") })
}

// runs reports whether a process has argument in its command line.
func runs(t *testing.T, argument string) bool {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	must(t, err)
	for _, f := range files {
		if line, err := os.ReadFile(f); err == nil && bytes.Contains(line, []byte(argument)) {
			return true
		}
	}
	return false
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline, tick := time.After(20*time.Second), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-deadline:
			t.Fatalf("not in time: %s", what)
		case <-tick.C:
		}
	}
}
