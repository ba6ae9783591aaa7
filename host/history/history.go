// Package history remembers how long tests took in earlier runs of a workspace,
// so that the next one can start the long ones first, split them, and say how
// long it will take. Nothing depends on it but time.
package history

import (
	"encoding/json"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/host/state"
)

// file is its name in the state of a workspace.
const file = "durations.json"

// version is that of the file; one of another version counts as none.
const version = 1

// History is what earlier runs took. The zero value knows of none.
type History struct {
	Version int               `json:"version"`
	Places  map[string]*Place `json:"places"` // by name of a project and container, as of event.Unit
}

// Place is what a project's tests took in one container.
type Place struct {
	Start  Milliseconds                       `json:"start"`  // until the first case and after the last
	Suites map[string]map[string]Milliseconds `json:"suites"` // by suite and file, which is a workspace path
}

// Milliseconds is a duration.
type Milliseconds int64

// Duration is m as others have it.
func (m Milliseconds) Duration() time.Duration { return time.Duration(m) * time.Millisecond }

// Load reads the history of the workspace at root. What cannot be read is none.
func Load(root string) History {
	var h History
	data, err := os.ReadFile(filepath.Join(state.Path(root), file))
	if err != nil || json.Unmarshal(data, &h) != nil || h.Version != version {
		return History{}
	}
	return h
}

// Files is what each file took in a place in all of the suites, as far as is
// known.
func (h History) Files(place string, suites []string) map[string]time.Duration {
	files := map[string]time.Duration{}
	p := h.Places[place]
	if p == nil {
		return files
	}
	for _, name := range suites {
		for f, took := range p.Suites[name] {
			files[f] += took.Duration()
		}
	}
	return files
}

// Start is what a place takes besides its cases.
func (h History) Start(place string) time.Duration {
	if p := h.Places[place]; p != nil {
		return p.Start.Duration()
	}
	return 0
}

// Save adds what run r took to the history in f. all says of a unit that
// everything it has was to run; of others only whole files count.
func Save(f state.Folder, r *report.Run, all func(*report.Project) bool) error {
	var h History
	if data, err := fs.ReadFile(f.FS(), file); err == nil && (json.Unmarshal(data, &h) != nil || h.Version != version) {
		h = History{}
	}
	changed := false
	for _, p := range r.Projects {
		if p.From != "" {
			continue // it took that long in an earlier run
		}
		changed = h.add(p, all(p)) || changed
	}
	if !changed {
		return nil
	}
	return f.Replace(file, func(to *os.File) error { return json.NewEncoder(to).Encode(h) })
}

// add takes what p took into account, and reports whether that was anything.
func (h *History) add(p *report.Project, all bool) bool {
	took := tookOf(p)
	if len(took) == 0 {
		return false
	}
	h.Version = version
	if h.Places == nil {
		h.Places = map[string]*Place{}
	}
	name := p.Unit().Place().String()
	place := h.Places[name]
	if place == nil {
		place = &Place{Suites: map[string]map[string]Milliseconds{}}
		h.Places[name] = place
	}
	var cases Milliseconds
	for suite, files := range took {
		if place.Suites[suite] == nil || all {
			place.Suites[suite] = map[string]Milliseconds{}
		}
		for f, ms := range files {
			place.Suites[suite][f] = ms
			cases += ms
		}
	}
	if all && p.Shard == "" {
		place.Start = max(0, Milliseconds(p.Elapsed.Milliseconds())-cases)
	}
	return true
}

// tookOf is what the files of p took that have run as a whole, by suite.
func tookOf(p *report.Project) map[string]map[string]Milliseconds {
	parts := map[string]bool{}
	for _, e := range p.Deselected {
		if e.Text == "" { // left by -k and the like, not by its suite
			parts[fileOf(p.Path, e.Case)] = true
		}
	}
	for _, c := range p.Cases {
		if c.Outcome == event.NotRun || c.Outcome == "" {
			parts[c.File] = true
		}
	}
	took := map[string]map[string]time.Duration{}
	for _, c := range p.Cases {
		if parts[c.File] {
			continue
		}
		if took[c.Suite] == nil {
			took[c.Suite] = map[string]time.Duration{}
		}
		took[c.Suite][c.File] += c.Elapsed
	}
	rounded := map[string]map[string]Milliseconds{}
	for suite, files := range took {
		rounded[suite] = map[string]Milliseconds{}
		for f, d := range files {
			rounded[suite][f] = Milliseconds(d.Round(time.Millisecond).Milliseconds())
		}
	}
	return rounded
}

// fileOf is the workspace path of the file of a node id.
func fileOf(project, id string) string {
	name, _, _ := strings.Cut(id, "::")
	return path.Join(project, name)
}

// Split parts files into n shares that take about the same time: of all but the
// last, the files; the last one is whatever is not in them. Fewer than n shares
// are left when there are not enough files.
func Split(files map[string]time.Duration, n int) (shares [][]string, took []time.Duration) {
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if files[a] != files[b] {
			return int(max(-1, min(1, files[b]-files[a])))
		}
		return strings.Compare(a, b)
	})
	n = min(n, len(names))
	shares, took = make([][]string, n), make([]time.Duration, n)
	for _, name := range names {
		least := 0
		for i := range took {
			if took[i] < took[least] {
				least = i
			}
		}
		shares[least], took[least] = append(shares[least], name), took[least]+files[name]
	}
	for _, share := range shares {
		slices.Sort(share)
	}
	return shares, took
}
