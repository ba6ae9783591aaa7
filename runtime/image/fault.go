package image

import (
	"errors"
	"regexp"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// dockerfileFault turns an error of BuildKit's Dockerfile parser into one
// with file and line.
func dockerfileFault(file string, err error) error {
	line := errorLine(err)
	if f, ok := errors.AsType[*fault.Error](err); ok {
		at := *f
		at.File, at.Line = file, line
		return &at
	}
	message, hint := splitHint(err.Error())
	return &fault.Error{
		Code:    "image.dockerfile_invalid",
		Message: linePrefix().ReplaceAllString(message, ""),
		File:    file,
		Line:    line,
		Hint:    hint,
		Next:    "mend the Dockerfile",
		Err:     err,
	}
}

// errorLine is the 1-based line that a parser error points at; 0 = none.
func errorLine(err error) int {
	if l, ok := errors.AsType[*parser.LocationError](err); ok {
		for _, ranges := range l.Locations {
			if len(ranges) > 0 {
				return ranges[0].Start.Line
			}
		}
	}
	if u, ok := errors.AsType[*instructions.UnknownInstructionError](err); ok {
		return u.Line
	}
	return 0
}

// linePrefix matches the position that BuildKit writes into some messages.
func linePrefix() *regexp.Regexp {
	return regexp.MustCompile(`^dockerfile parse error on line \d+: `)
}

// splitHint cuts "(did you mean X?)" off a message.
func splitHint(message string) (string, string) {
	before, rest, ok := strings.Cut(message, " (did you mean ")
	if !ok {
		return message, ""
	}
	hint, after, _ := strings.Cut(rest, "?)")
	return before + after, hint
}
