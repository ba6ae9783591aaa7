package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// maxSize bounds a wr.toml in bytes; a larger file is something else.
const maxSize = 1 << 20

// Load reads the wr.toml at path. Faults call the file name, which is its path
// relative to the workspace. See [Parse] for what is returned.
func Load(path, name string) (*File, error) {
	data, err := read(path)
	if err != nil {
		return Default(), unreadable(name, err)
	}
	return Parse(name, data)
}

// unreadable is the mistake of a file that cannot be read.
func unreadable(name string, err error) Errors {
	return Errors{{Fault: &fault.Error{
		Code: "config.unreadable", File: name, Err: err,
		Message: "cannot be read: " + cause(err),
	}}}
}

// Parse reads data, the contents of a wr.toml that faults call name. An error
// is always an [Errors] with every mistake of the file; the File returned with
// it holds all that was right, so that callers can see what was meant.
func Parse(name string, data []byte) (*File, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	tree, err := parseTree(name, data)
	if err != nil {
		return intended(data), err
	}
	f := &File{lines: lines(data)}
	d := &decoder{name: name, root: reflect.TypeFor[File](), lines: f.lines, bad: map[string]bool{}}
	d.table("", tree, reflect.ValueOf(f).Elem())
	check(d, f)
	f.setDefaults()
	return f, d.result()
}

// parseTree reads TOML.
func parseTree(name string, data []byte) (map[string]any, error) {
	tree := map[string]any{}
	if err := toml.Unmarshal(data, &tree); err != nil {
		return nil, Errors{{Fault: syntaxFault(name, err)}}
	}
	return tree, nil
}

// header matches the two tables that make a directory a workspace or a project.
var header = shape(`(?m)^[ \t]*\[[ \t]*(workspace|project)[ \t]*\]`)

// intended returns what can be known of a file that is not TOML: whether it
// was meant to be a workspace's or a project's.
func intended(data []byte) *File {
	f := Default()
	for _, match := range header().FindAllSubmatch(data, -1) {
		if string(match[1]) == "workspace" {
			f.Workspace = &Workspace{}
		} else {
			f.Project = &Project{}
		}
	}
	return f
}

// read returns the contents of the file at path, up to maxSize.
func read(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxSize+1))
	if err == nil && len(data) > maxSize {
		return nil, fmt.Errorf("larger than %d bytes", maxSize)
	}
	return data, err
}

// cause returns err without the path that the fault names already.
func cause(err error) string {
	if pathError, ok := errors.AsType[*os.PathError](err); ok {
		return pathError.Err.Error()
	}
	return err.Error()
}

// syntaxFault says where a file stops being TOML.
func syntaxFault(name string, err error) *fault.Error {
	f := &fault.Error{
		Code: "config.syntax", Class: fault.Usage, File: name, Err: err,
		Message: strings.TrimPrefix(err.Error(), "toml: "),
	}
	if at, ok := errors.AsType[*toml.DecodeError](err); ok {
		f.Line, _ = at.Position()
		f.Details = at.String()
	}
	return f
}
