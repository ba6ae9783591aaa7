package hook

import (
	"context"
	"path"
	"strings"
	"unicode"

	"github.com/wr-build/wr/sdk/go/abi"
)

// Image returns how a project's image is built. Its Inputs can stand in a
// .dockerignore as they are.
func (p *Plugin) Image(ctx context.Context, params abi.ImageParams) (r abi.ImageResult, err error) {
	if _, err = p.ask(ctx, question{method: abi.MethodImage, project: params.Project, params: params}, &r); err != nil {
		return r, err
	}
	if strings.TrimSpace(r.Dockerfile) == "" {
		return r, p.lie("has an empty Dockerfile for %s", params.Project)
	}
	for _, glob := range r.Inputs {
		if !ignorable(glob) {
			return r, p.lie("names %q as an input of the image of %s, which is no pattern of a .dockerignore below the project", glob, params.Project)
		}
	}
	return r, nil
}

// ignorable reports whether a pattern means in a .dockerignore what it says, and
// nothing outside of the project.
func ignorable(glob string) bool {
	hidden := func(r rune) bool { return !unicode.IsPrint(r) }
	clean := path.Clean(glob)
	return glob != "" && clean == glob && clean != "." && clean != ".." && !strings.HasPrefix(clean, "../") &&
		!strings.ContainsAny(glob[:1], "/!# ") && !strings.HasSuffix(glob, " ") && !strings.Contains(glob, "{") && !strings.ContainsFunc(glob, hidden)
}
