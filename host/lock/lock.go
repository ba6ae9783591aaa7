// Package lock reads and writes wr.lock, the file at the root of a workspace
// that says what names stood for when they were resolved. It is committed, so
// that everybody gets the same. Each purpose has a table of its own and knows
// nothing of the others: what it does not read is written back as it was.
//
// The file is made to be merged: one line an entry, sorted, no time in it.
package lock

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/pelletier/go-toml/v2"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// Name is the file in the workspace's root.
const Name = "wr.lock"

// version is the form of the file. One with a higher number is of a newer wr.
const version = 1

// head is what the file begins with, for who opens it.
const head = "# What names stand for, so that everybody has the same. Made by wr: commit it.\n" +
	"# `wr build --update` resolves the images anew.\n"

// Folder is the workspace's root, held open.
type Folder interface {
	ReadFile(name string) ([]byte, error)
	// Replace makes the file name of what fill writes, whole or not at all.
	Replace(name string, fill func(*os.File) error) error
}

// File is what a wr.lock says. The zero File says nothing.
type File struct {
	tables map[string]any
	text   []byte // that it was read from
}

// Read reads the wr.lock of a workspace. Without one, the File is empty.
func Read(root Folder) (File, error) {
	data, err := root.ReadFile(Name)
	if errors.Is(err, fs.ErrNotExist) {
		return File{}, nil
	}
	if err != nil {
		return File{}, invalid("cannot be read: "+err.Error(), 0, err)
	}
	return parse(data)
}

// parse reads the contents of a wr.lock.
func parse(data []byte) (File, error) {
	f := File{tables: map[string]any{}, text: data}
	if err := toml.Unmarshal(data, &f.tables); err != nil {
		line := 0
		if at, ok := errors.AsType[*toml.DecodeError](err); ok {
			line, _ = at.Position()
		}
		return File{}, invalid("is not TOML: "+err.Error(), line, err)
	}
	if v, ok := f.tables["version"].(int64); !ok || v != version {
		return File{}, &fault.Error{
			Code: "lock.version", Class: fault.Usage, File: Name, Next: "use that wr",
			Message: fmt.Sprintf("version %v was written by another wr; this one knows %d", f.tables["version"], version),
		}
	}
	return f, nil
}

// invalid is the fault of a wr.lock that nobody can read.
func invalid(message string, line int, err error) error {
	return &fault.Error{
		Code: "lock.invalid", Class: fault.Usage, File: Name, Line: line, Message: message, Err: err,
		Next: "if a merge left marks in it, keep the lines of both sides; any entry may be deleted, and is resolved again",
	}
}

// Table decodes one table into what into points to, which stays as it is when
// the file has no such table.
func (f File) Table(name string, into any) error {
	table, ok := f.tables[name]
	if !ok {
		return nil
	}
	data, err := toml.Marshal(table)
	if err == nil {
		err = toml.Unmarshal(data, into)
	}
	if err != nil {
		return invalid(fmt.Sprintf("table [%s]: %v", name, err), 0, err)
	}
	return nil
}

// Set replaces one table. An empty one is left out.
func (f *File) Set(name string, table map[string]string) {
	if f.tables == nil {
		f.tables = map[string]any{}
	}
	delete(f.tables, name)
	if len(table) > 0 {
		f.tables[name] = table
	}
}

// SetTables replaces one table that holds others. An empty one is left out.
func (f *File) SetTables(name string, tables map[string]map[string]any) {
	f.Set(name, nil)
	if len(tables) > 0 {
		f.tables[name] = tables
	}
}

// Text is what the file was read from, for who needs to know lines.
func (f File) Text() []byte { return f.text }

// Write replaces the wr.lock of a workspace, whole or not at all. One that
// says the same already is not touched.
func (f File) Write(root Folder) error {
	data, err := f.bytes()
	if err != nil {
		return err
	}
	if there, err := root.ReadFile(Name); err == nil && bytes.Equal(there, data) {
		return nil
	}
	return root.Replace(Name, func(file *os.File) error {
		_, err := file.Write(data)
		return err
	})
}

// bytes are the contents of the file: tables and keys in alphabetical order.
func (f File) bytes() ([]byte, error) {
	out := bytes.NewBufferString(head + fmt.Sprintf("version = %d\n", version))
	tables := make(map[string]any, len(f.tables))
	for name, table := range f.tables {
		if name != "version" {
			tables[name] = table
		}
	}
	data, err := toml.Marshal(tables)
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", Name, err)
	}
	if len(data) > 0 {
		out.WriteByte('\n')
	}
	out.Write(data)
	return out.Bytes(), nil
}
