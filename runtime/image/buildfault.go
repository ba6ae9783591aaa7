package image

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/moby/buildkit/solver/errdefs"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// buildFault says what went wrong in a build, and on which line.
func (b *Builder) buildFault(ctx context.Context, build spec.Build, p *progress, err error) error {
	if status.Code(err) == codes.Unavailable {
		return &fault.Error{
			Code:    "engine.unreachable",
			Message: "the builder cannot be reached: " + err.Error(),
			Next:    "wr engine status",
			Err:     err,
		}
	}
	if f := fault.Disk(errors.New(message(err)), b.config.State); f != nil {
		f.File, f.Line, f.Details = dockerfilePath(build), sourceLine(err), p.output()
		return f
	}
	f := &fault.Error{
		Code:    "image.build_failed",
		Message: message(err),
		File:    dockerfilePath(build),
		Line:    sourceLine(err),
		Next:    "mend the Dockerfile and build again",
		Details: p.output(),
		Err:     err,
	}
	f.Message, f.Hint = splitHint(f.Message)
	if ref, ok := missingBase(p); ok {
		b.baseMissing(ctx, f, ref)
	} else if file, ok := missingSource(f.Message); ok {
		f.Message = fmt.Sprintf("%s is not in the build context", file)
		f.Next = "check its spelling, and that .dockerignore does not list it"
	} else if full := fault.Disk(noSpace(f.Details), b.config.State); full != nil {
		// The step says so, of its own /tmp perhaps: it is a reason, not the fault.
		f.Next = full.Next + " if that is the one that is full; else mend the Dockerfile"
	}
	return f
}

// baseMissing makes f say that a base image is nowhere to be had.
func (b *Builder) baseMissing(ctx context.Context, f *fault.Error, ref string) {
	name := familiar(ref)
	f.Code, f.Details = "image.base_missing", f.Message
	f.Message = fmt.Sprintf("the base image %s is not in the local store and could not be fetched", name)
	f.Next = fmt.Sprintf("wr image base create %s --suite bookworm --include PACKAGES, or give this machine access to the registry", name)
	f.Hint = ""
	c, err := b.containerd()
	if err != nil {
		return // the hint is all that is lost
	}
	bases, err := listBases(ctx, c)
	if err != nil {
		return
	}
	var names []string
	for _, base := range bases {
		names = append(names, base.Name)
	}
	f.Hint = fault.Closest(name, names)
}

// metadataStep starts the name of the step that looks for a base.
const metadataStep = "[internal] load metadata for "

// missingBase is the base image that was looked for in vain.
func missingBase(p *progress) (string, bool) {
	if p.failed == nil {
		return "", false
	}
	return strings.CutPrefix(p.failed.last.Name, metadataStep)
}

// missingSource is the file that COPY or ADD looked for in vain.
func missingSource(message string) (string, bool) {
	m := regexp.MustCompile(`failed to calculate checksum of ref .*: "/([^"]*)": not found`).FindStringSubmatch(message)
	if m == nil {
		return "", false
	}
	return m[1], true
}

// noSpace is the line of a program's output that speaks of a full disk as an
// error, or nil.
func noSpace(output string) error {
	for line := range strings.Lines(output) {
		if err := errors.New(strings.TrimSpace(line)); fault.Disk(err, "") != nil {
			return err
		}
	}
	return nil
}

// message is what failed, without the layers that passed it on.
func message(err error) string {
	s := err.Error()
	for _, prefix := range []string{"failed to solve: ", "rpc error: code = Unknown desc = "} {
		s = strings.TrimPrefix(s, prefix)
	}
	return s
}

// sourceLine is the line of the Dockerfile that failed; 0 = unknown.
func sourceLine(err error) int {
	for _, source := range errdefs.Sources(err) {
		if len(source.Ranges) > 0 {
			return int(source.Ranges[0].Start.Line)
		}
	}
	return 0
}
