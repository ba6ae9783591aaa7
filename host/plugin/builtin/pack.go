package builtin

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/klauspost/compress/zstd"

	"github.com/wr-build/wr/host/plugin/manifest"
	"github.com/wr-build/wr/host/plugin/module"
)

// Pack compresses modules with manifests inside into dir, from where a build embeds
// them, and removes what an earlier Pack left there. The same modules give the same
// bytes. What is there already is not compressed again.
func Pack(dir string, modules []string) error {
	before := Open(os.DirFS(dir))
	var all []Plugin
	keep := map[string]bool{}
	for _, file := range modules {
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		p, err := describe(file, data)
		if err != nil {
			return err
		}
		if keep[p.file()] {
			return fmt.Errorf("pack %s: two plugins are called %s", file, p.Name)
		}
		keep[p.file()] = true
		all = append(all, p)
		if old, found := before.Find(p.Name); found && old.Digest == p.Digest && there(dir, p) {
			continue
		}
		if err := compress(filepath.Join(dir, p.file()), data); err != nil {
			return err
		}
	}
	slices.SortFunc(all, func(a, b Plugin) int { return cmp.Compare(a.Name, b.Name) })
	text, err := json.MarshalIndent(all, "", "\t")
	if err != nil {
		return err
	}
	return errors.Join(removeOthers(dir, keep), replace(filepath.Join(dir, indexName), append(text, '\n')))
}

// describe is what the index says of a module.
func describe(file string, data []byte) (Plugin, error) {
	section, found, err := module.Manifest(data)
	if err == nil && !found {
		err = errors.New("there is no manifest in it")
	}
	if err != nil {
		return Plugin{}, fmt.Errorf("pack %s: %w", file, err)
	}
	m, err := manifest.Parse(section, file, manifest.Words{})
	if err != nil {
		return Plugin{}, err
	}
	return Plugin{Name: m.Name, Version: m.Version, Digest: digest(data), Size: int64(len(data)), Manifest: section}, nil
}

func there(dir string, p Plugin) bool {
	_, err := os.Stat(filepath.Join(dir, p.file()))
	return err == nil
}

func compress(path string, data []byte) error {
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return err
	}
	defer encoder.Close()
	return replace(path, encoder.EncodeAll(data, nil))
}

// removeOthers removes packed plugins that are not to be kept.
func removeOthers(dir string, keep map[string]bool) error {
	old, err := filepath.Glob(filepath.Join(dir, "*.zst"))
	if err != nil {
		return err
	}
	for _, path := range old {
		if !keep[filepath.Base(path)] {
			err = errors.Join(err, os.Remove(path))
		}
	}
	return err
}

// replace writes a file in full or not at all, and leaves it alone if it is so.
func replace(path string, data []byte) error {
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, data) {
		return nil
	}
	fresh := path + ".new"
	if err := os.WriteFile(fresh, data, 0o644); err != nil { //nolint:gosec // part of a build, for everyone
		return err
	}
	return os.Rename(fresh, path)
}
