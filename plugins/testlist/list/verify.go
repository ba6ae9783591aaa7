package list

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/moby/buildkit/util/suggest"

	"github.com/wr-build/wr/host/pyscan"
	"github.com/wr-build/wr/host/pyscan/discovery"
	"github.com/wr-build/wr/sdk/go/abi"
)

// verify finds the lines of the tests that lists name in a file. What is not there
// is an error of the list, as far as that can be told: of Python by its source.
func (d *finding) verify(f *file) {
	src, err := fs.ReadFile(d.fsys, f.told.File)
	if err != nil {
		for _, at := range f.places {
			d.problems = append(d.problems, problem(at, "there is no file %s", f.told.File))
		}
		return
	}
	if path.Ext(f.told.File) != ".py" {
		return
	}
	scanned := pyscan.Scan(f.told.File, src, d.rules)
	f.told.Imports = discovery.File(&scanned).Imports
	for i := range f.told.Cases {
		if err := find(&scanned, &f.told.Cases[i]); err != nil {
			d.problems = append(d.problems, problem(f.places[i], "%v", err))
		}
	}
}

// find finds the line of a case.
func find(f *pyscan.File, c *abi.TestCase) error {
	if c.ID == "" {
		return nil
	}
	name, _, _ := strings.Cut(c.ID, "[")
	var names []string
	for _, known := range f.Cases {
		if known.Name == name || strings.HasPrefix(known.Name, name+"::") {
			c.Line = known.Line
			return nil
		}
		names = append(names, known.Name)
	}
	if !f.Decided(pyscan.Cases) {
		return nil // it may be one that only Python sees
	}
	text := fmt.Sprintf("%s has no test %s", f.Name, name)
	if near, found := suggest.Search(name, names, true); found {
		text += fmt.Sprintf("; did you mean %s?", near)
	}
	return errors.New(text)
}
