package image

import (
	"errors"
	"strings"
	"testing"

	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

func TestABuilderWithoutSpaceIsNoMistakeInTheDockerfile(t *testing.T) {
	b := NewBuilder(Config{State: "/proc/self"})
	build := spec.Build{Folder: "p", Dockerfile: "devops/Dockerfile"}
	err := errors.New("failed to solve: rpc error: write /x/layer: no space left on device")
	f := fault.Of(b.buildFault(t.Context(), build, newProgress(nil), err))
	if f.Code != fault.DiskFull || f.File != "p/devops/Dockerfile" || !strings.Contains(f.Message, "the file system at /proc:") {
		t.Errorf("got %+v", f)
	}
}

func TestAStepThatFoundNoSpaceIsAFailedStepWithAHint(t *testing.T) {
	b := NewBuilder(Config{State: "/proc/self"})
	p := newProgress(func(spec.Step) {})
	p.failed = &step{}
	p.failed.tail.add("unpacking\nOSError: [Errno 28] No space left on device\n")
	f := fault.Of(b.buildFault(t.Context(), spec.Build{Folder: "p", Dockerfile: "Dockerfile"}, p, errors.New("process ended with 1")))
	if f.Code != "image.build_failed" || !strings.Contains(f.Next, "free space on the file system at /proc if") {
		t.Errorf("got %+v", f)
	}
}

func TestABaseWithoutSpaceIsNoMistakeInItsPackages(t *testing.T) {
	m := &mmdebstrap{dir: "/proc/self", base: Base{Ref: "acme/python", Suite: "bookworm"}}
	f := fault.Of(m.fault("I: installing\ndpkg: error: cannot copy x: No space left on device\n", errors.New("exit status 25")))
	if f.Code != fault.DiskFull || !strings.HasPrefix(f.Message, "mmdebstrap could not make acme/python: the disk is full on the file system at /proc: dpkg: ") {
		t.Errorf("got %+v", f)
	}
}
