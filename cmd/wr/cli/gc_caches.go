package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/wr-build/wr/host/plugin/sandbox"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/daemon"
	"github.com/wr-build/wr/runtime/helper"
)

// cacheSize is one of the caches of this user.
type cacheSize struct {
	Name string `json:"name"` // of its folder in the directory of caches
	Size int64  `json:"size"` // bytes
}

// caches are the folders of the directory of caches that can be made again, and
// keep to a size by themselves.
func caches() []string { return []string{"compiled", "helpers", "inputs", "plugins", "results"} }

// cacheSizes are how much the caches take. What cannot be read is left out.
func (a *app) cacheSizes() []cacheSize {
	all := []cacheSize{}
	for _, name := range caches() {
		var bytes int64
		_ = filepath.WalkDir(filepath.Join(a.cacheDir(), name), func(_ string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return nil //nolint:nilerr // as said
			}
			if info, err := entry.Info(); err == nil {
				bytes += info.Size()
			}
			return nil
		})
		if bytes > 0 {
			all = append(all, cacheSize{name, bytes})
		}
	}
	return all
}

// cleanCaches removes compiled code of plugins that nobody used for so long, but
// for those of this workspace, and programs that other builds of wr ran plugins by.
// Why no modules: they may be the only ones of what wr.lock pins.
func (a *app) cleanCaches(ctx context.Context, unused time.Duration, dry bool) ([]daemon.Removed, error) {
	needed, err := a.pinnedDigests(ctx)
	if err != nil {
		return nil, err
	}
	code, failed := sandbox.Unused(filepath.Join(a.cacheDir(), "compiled"), time.Now().Add(-unused), needed)
	var gone []daemon.Removed
	for _, one := range code {
		if err := remove(dry, one.Remove); err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		gone = append(gone, daemon.Removed{
			Kind: "code", Name: filepath.Base(one.Folder)[:12], Size: one.Size, Used: one.Used, Why: "nobody used that plugin for so long; it is compiled again when somebody does",
		})
	}
	old, err := helper.StalePlugin(filepath.Join(a.cacheDir(), "helpers"))
	failed = errors.Join(failed, err)
	for _, dir := range old {
		if err := remove(dry, func() error { return helper.RemoveStale(dir) }); err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		gone = append(gone, daemon.Removed{Kind: daemon.KindHelpers, Name: filepath.Base(dir), Why: "another build of wr ran plugins by it"})
	}
	return gone, failed
}

func remove(dry bool, do func() error) error {
	if dry {
		return nil
	}
	return do()
}

// pinnedDigests are those of the plugins of this workspace, in hex; none outside
// of one.
func (a *app) pinnedDigests(ctx context.Context) ([]string, error) {
	ws, err := workspace.Load(ctx, a.dir)
	if err != nil {
		return nil, nil //nolint:nilerr // what gc needs of it has been said
	}
	pins, err := readPlugins(ws.Root)
	var all []string
	for _, p := range pins {
		all = append(all, strings.TrimPrefix(p.Digest, "sha256:"))
	}
	return all, err
}

// printCaches says what the caches take.
func (a *app) printCaches(all []cacheSize) {
	if len(all) == 0 || a.Quiet {
		return
	}
	words := make([]string, len(all))
	for i, c := range all {
		words[i] = c.Name + " " + size(c.Size)
	}
	fmt.Fprintf(a.Out, "caches in %s: %s\n", a.cacheDir(), strings.Join(words, ", "))
}
