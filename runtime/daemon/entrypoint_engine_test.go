//go:build linux && engine

package daemon

import (
	"context"
	"strings"
	"testing"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/wr-build/wr/runtime/container/containertest"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// withEntrypoint is a container of an image with a shell script as ENTRYPOINT.
func (f *fixture) withEntrypoint(script string) spec.Container {
	f.t.Helper()
	c := box()
	c.Image = "docker.io/test/entrypoint:latest"
	err := containertest.Import(context.Background(), f.containerd, c.Image, ocispec.ImageConfig{
		Env: []string{"PATH=/bin", "GONE=1"}, User: "tester", WorkingDir: "/home/tester",
		Entrypoint: []string{"sh", "-c", script, "entry"},
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return c
}

func TestEntrypointRunsOnceAndItsEnvironmentIsThatOfTheProcess(t *testing.T) {
	f := start(t)
	c := f.withEntrypoint(`echo noise; unset GONE; export PATH=/opt/bin:$PATH MADE="$(printf 'by %s\nas %s' "$OWN" "$(id -un)")"; echo x >>/tmp/ran; exec "$@"`)
	c.Env = []string{"OWN=container"}
	p := sh(`echo "$PATH|$MADE|${GONE-gone}|$BOTH"; wc -l </tmp/ran`)
	p.Env = []string{"BOTH=process"}
	if got, want := f.must(c, p), "/opt/bin:/bin|by container\nas tester|gone|process\n1\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWhatAnEntrypointStartsStays(t *testing.T) {
	f := start(t)
	for name, script := range map[string]string{
		"and it runs its command":             `sleep 1000 & exec "$@"`,
		"and it waits for its command itself": `setsid sleep 1000 <&0 & "$@"; exit 3`,
	} {
		t.Run(name, func(t *testing.T) {
			if got := f.must(f.withEntrypoint(script), sh(`cat /proc/[0-9]*/comm 2>/dev/null | grep -c "^sleep$"`)); got != "1\n" {
				t.Errorf("got %q servers, want 1", got)
			}
		})
	}
}

func TestEntrypointRunsBeforeEachProcessOrNeverWhenToldSo(t *testing.T) {
	f := start(t)
	c := f.withEntrypoint(`echo before; exec "$@"`)
	for policy, want := range map[spec.Entrypoint]string{
		spec.EntrypointOnce: "own\n", spec.EntrypointEach: "before\nown\n", spec.EntrypointOff: "own\n",
	} {
		c.Entrypoint = policy
		if got := f.must(c, sh("echo own")); got != want {
			t.Errorf("%s: got %q, want %q", policy, got, want)
		}
	}
	c = f.withEntrypoint("exit 4")
	c.Entrypoint = spec.EntrypointOff
	if got := f.must(c, sh("echo own")); got != "own\n" {
		t.Errorf("one that fails and is off: got %q", got)
	}
}

func TestAnEntrypointHasNoMoreRightsInATestContainer(t *testing.T) {
	f := start(t)
	defer f.stopAll()
	c := f.withEntrypoint(`export RIGHTS="$(grep -e ^Cap -e ^NoNew /proc/self/status; id; mkdir -p /tmp/m; mount -t tmpfs none /tmp/m 2>&1; unshare -m true 2>&1)"; exec "$@"`)
	for _, user := range []string{"root", "tester"} {
		c.User, c.Role = user, spec.RoleFresh
		want := f.must(c, sh(`echo "$RIGHTS"`))
		c.Role = spec.RoleTest
		if got := f.must(c, sh(`echo "$RIGHTS"`)); got != want || !strings.Contains(got, "CapEff") {
			t.Errorf("in a fresh container:\n%s\nin a test container:\n%s", want, got)
		}
	}
}

func TestAnEntrypointThatRunsNoCommandIsNamedWithItsWords(t *testing.T) {
	f := start(t)
	for script, words := range map[string]string{
		"echo no database >&2; exit 4":   "ended with 4",
		"exit 0":                         "ended with 0",
		"setsid sleep 1000 <&0 & exit 0": "ended with 0",
		"kill -KILL $$":                  "ended with 137",
		"exec /no/such/program":          "ended with 127",
	} {
		t.Run(script, func(t *testing.T) {
			_, _, err := f.output(t.Context(), f.withEntrypoint(script), sh("true"))
			if !fault.HasCode(err, "image.entrypoint") || !strings.Contains(err.Error(), words) {
				t.Fatalf("got %v, want %q", err, words)
			}
			if f := fault.Of(err); f.Next == "" || strings.Contains(script, "database") && !strings.Contains(f.Details, "no database") {
				t.Errorf("got %+v", f)
			}
		})
	}
}

func TestWhatAnEntrypointLeavesIsThereForTestsAndStaysAsItWas(t *testing.T) {
	f := start(t)
	defer f.stopAll()
	c := f.withEntrypoint(`echo first >/tmp/conf; echo shared >/dev/shm/conf; mkdir /tmp/www; echo served >/tmp/www/page; exec "$@"`)
	look := sh(`cat /tmp/conf /dev/shm/conf /tmp/www/page; ls -ld /tmp /dev/shm | cut -c1-10; ls /tmp; rm -rf /tmp/* /dev/shm/*; echo mine >/tmp/conf; touch /tmp/new`)
	want := f.must(c, look)
	if !strings.HasPrefix(want, "first\nshared\nserved\n") {
		t.Fatalf("in a fresh container: %q", want)
	}
	c.Role = spec.RoleTest
	for n := range 3 {
		if got := f.must(c, look); got != want {
			t.Errorf("run %d in a kept container:\n%s\nwant\n%s", n, got, want)
		}
	}
	f.one()
}

func TestATestHasANetworkOfItsOwn(t *testing.T) {
	f := start(t)
	defer f.stopAll()
	c := f.withEntrypoint(`export NET="$(readlink /proc/self/ns/net)"; exec "$@"`)
	c.Role = spec.RoleTest
	if got := f.must(c, sh(`test "$NET" = "$(readlink /proc/self/ns/net)" && echo shared || echo own`)); got != "own\n" {
		t.Errorf("got %q", got)
	}
}

// TestWhatAnEntrypointRunsIsTheSameForTestsAsInAFreshContainer has it leave
// processes: each test meets them as nobody has before.
func TestWhatAnEntrypointRunsIsTheSameForTestsAsInAFreshContainer(t *testing.T) {
	f := start(t)
	defer f.stopAll()
	const untilServed = `for i in $(seq 100); do nc 127.0.0.1 8080 2>/dev/null && exit; sleep 0.1; done; echo nobody`
	for name, c := range map[string]struct{ entrypoint, look, want string }{
		"a server that remembers":  {`nc -ll -p 8080 -e sh -c 'echo >>~/asked; wc -l <~/asked' <&0 & exec "$@"`, untilServed, "1\n"},
		"a server that comes late": {`(sleep 1; exec nc -ll -p 8080 -e echo served) <&0 & exec "$@"`, untilServed, "served\n"},
		"a process that can be seen": {
			`sleep 1000 <&0 & echo $! >/tmp/pid; exec "$@"`, `kill -0 "$(cat /tmp/pid)" && echo seen`, "seen\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			container := f.withEntrypoint(c.entrypoint)
			if got := f.must(container, sh(c.look)); got != c.want {
				t.Fatalf("in a fresh container: got %q, want %q", got, c.want)
			}
			container.Role = spec.RoleTest
			for n := range 3 {
				if got, _, err := f.output(t.Context(), container, sh(c.look)); got != c.want || err != nil {
					t.Errorf("test %d: got %q, want %q, error %v", n, got, c.want, err)
				}
			}
			f.stopAll()
		})
	}
}

// TestAnEntrypointThatEndsAfterItsCommandLeavesNothing also has clients that go
// while it ends: they must not make it look as if it did not.
func TestAnEntrypointThatEndsAfterItsCommandLeavesNothing(t *testing.T) {
	f := start(t)
	defer f.stopAll()
	c := f.withEntrypoint(`"$@"; sleep 0.4`)
	c.Role = spec.RoleTest
	for n := range 8 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(n+1)*100*time.Millisecond)
		_, _, _ = f.output(ctx, c, sh("sleep 1000"))
		cancel()
	}
	f.must(c, sh("true"))
	f.eventually("one container is kept", func() bool { all := f.kept(); return len(all) == 1 && all[0].Users == 0 })
}
