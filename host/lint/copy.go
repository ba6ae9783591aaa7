package lint

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"

	"github.com/wr-build/wr/runtime/spec"
)

// Copy copies the files of a project, with those of projects inside it, into a
// directory. What is made belongs to owner, as far as that can be said.
func (t *Tree) Copy(ctx context.Context, project string, into *os.Root, owner spec.Owner) error {
	from, err := os.OpenRoot(t.host(project))
	if err != nil {
		return err
	}
	defer from.Close()
	c := copying{from: from, into: into, owner: owner, made: map[string]bool{".": true}}
	for _, file := range t.Below(project) {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if err := c.one(inside(project, file)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// copying copies files from one directory into another.
type copying struct {
	from, into *os.Root
	owner      spec.Owner
	made       map[string]bool // directories that are there
}

// one copies one file or link. Of other kinds there is nothing to copy.
func (c *copying) one(name string) error {
	info, err := c.from.Lstat(name)
	if err != nil {
		return err
	}
	switch {
	case info.Mode().IsRegular():
		if err := c.dir(path.Dir(name)); err != nil {
			return err
		}
		return c.file(name, info.Mode().Perm())
	case info.Mode()&fs.ModeSymlink != 0:
		return c.link(name)
	}
	return nil
}

func (c *copying) link(name string) error {
	target, err := c.from.Readlink(name)
	if err != nil {
		return err
	}
	if err := c.dir(path.Dir(name)); err != nil {
		return err
	}
	return errors.Join(c.into.Symlink(target, name), c.give(name))
}

func (c *copying) file(name string, mode fs.FileMode) error {
	from, err := c.from.Open(name)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := c.into.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode|0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	return errors.Join(err, to.Close(), c.give(name))
}

// dir makes a directory and those above it.
func (c *copying) dir(name string) error {
	if c.made[name] {
		return nil
	}
	if err := c.dir(path.Dir(name)); err != nil {
		return err
	}
	c.made[name] = true
	return errors.Join(c.into.Mkdir(name, 0o755), c.give(name))
}

// give has name belong to the owner.
func (c *copying) give(name string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	return c.into.Lchown(name, c.owner.UID, c.owner.GID)
}
