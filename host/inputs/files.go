package inputs

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/moby/patternmatcher"

	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// contextFiles are the parts that the build context contributes, sorted by path.
func contextFiles(ctx context.Context, in Image) ([]Part, error) {
	if !in.Recipe.Whole && len(in.Recipe.Sources) == 0 {
		return nil, nil
	}
	exclude, err := in.ignored()
	if err != nil {
		return nil, err
	}
	include, err := wanted(in.Context, in.Recipe)
	if err != nil {
		return nil, err
	}
	var parts []Part
	w := &walk{root: in.Context, include: newFilter(include, false), exclude: newFilter(exclude, true)}
	w.visit = func(e entry) error {
		value, err := describe(e, in.Index)
		if err != nil {
			return unreadable(e.rel, err)
		}
		parts = append(parts, Part{Kind: File, Name: filepath.ToSlash(e.rel), Value: value})
		return nil
	}
	if err := w.dir(ctx, parent{}); err != nil {
		return nil, err
	}
	slices.SortFunc(parts, func(a, b Part) int { return cmp.Compare(a.Name, b.Name) })
	return parts, nil
}

// wanted compiles the sources of a recipe; nil = the whole context.
func wanted(root string, r spec.Recipe) (*patternmatcher.PatternMatcher, error) {
	if r.Whole {
		return nil, nil
	}
	paths, whole := followLinks(root, r.Sources)
	if whole {
		return nil, nil
	}
	m, err := patternmatcher.New(paths)
	if err != nil {
		return nil, &fault.Error{
			Code:    "image.dockerfile_invalid",
			Message: "a source of COPY or ADD is not a valid pattern: " + err.Error(),
			Details: strings.Join(r.Sources, "\n"),
			Err:     err,
		}
	}
	return m, nil
}

// describe is what counts of a file: its type, the bits of its mode that git
// would keep, a link's target, and the content.
//
// Why not all of the mode? The builder sends files under spec.ContextMode, so
// the rest never reaches the image, and a checkout under another umask is the
// same input.
func describe(e entry, index *Index) (string, error) {
	mode := spec.ContextMode(e.info.Mode())
	switch {
	case mode.IsDir():
		return "dir", nil
	case mode&fs.ModeSymlink != 0:
		target, err := os.Readlink(e.abs)
		return "link " + target, err
	case !mode.IsRegular():
		return "special " + mode.Type().String(), nil
	}
	sum, err := index.SumOf(e.abs, e.info)
	if err != nil {
		return "", err
	}
	kind := "file "
	if mode&0o100 != 0 {
		kind = "exec "
	}
	return kind + hex.EncodeToString(sum[:]), nil
}

// unreadable is the fault for a file that belongs to the image and cannot be read.
func unreadable(rel string, err error) error {
	next := "give yourself the right to read it, or list it in .dockerignore"
	if !errors.Is(err, fs.ErrPermission) {
		next = "list it in .dockerignore if the image does not need it"
	}
	return &fault.Error{
		Code:    "image.context_unreadable",
		Message: "cannot read a file of the build context: " + err.Error(),
		File:    filepath.ToSlash(rel),
		Next:    next,
		Err:     err,
	}
}
