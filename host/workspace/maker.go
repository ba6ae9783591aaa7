package workspace

import (
	"fmt"
	"path"
	"slices"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// Maker returns the project or entry of [images] whose image p uses: p itself,
// unless [image] from names another, whose own from is followed.
func (w *Workspace) Maker(p Project) (Project, error) {
	seen := []string{p.Path}
	for maker := p; ; {
		from := maker.Config.Image.From
		if from == "" {
			return maker, nil
		}
		next, err := w.borrows(maker, from)
		if err != nil {
			return Project{}, err
		}
		if slices.Contains(seen, next.Path) {
			return Project{}, badFrom(maker, fmt.Sprintf("%s uses the image of %s, which uses that of %[1]s", maker.Path, next.Path))
		}
		seen = append(seen, next.Path)
		maker = next
	}
}

// borrows is what from names, seen from p: a project by its path, or an entry of
// [images].
func (w *Workspace) borrows(p Project, from string) (Project, error) {
	at := path.Join(p.Folder(), from)
	next, found := w.at(at)
	if !found {
		next, found = w.Image(from)
	}
	if !found {
		return Project{}, badFrom(p, "there is no project "+at)
	}
	if next.Fault != nil {
		return Project{}, next.Fault
	}
	return next, nil
}

// badFrom is the fault of a project whose [image] from cannot be followed.
func badFrom(p Project, message string) error {
	return &fault.Error{
		Code: "image.bad_from", Class: fault.Usage, Message: "from: " + message,
		File: p.ConfigFile(), Line: p.Config.Line("image.from"),
		Next: "name a project by its path from here, such as ../infra, or one of [images]; wr ls shows them",
	}
}
