package hook

import (
	"context"
	"crypto/sha256"
	"io/fs"

	"github.com/wr-build/wr/host/plugin/trace"
	"github.com/wr-build/wr/sdk/go/abi"
)

// Done is what a task gave.
type Done struct {
	abi.TaskResult
	Out    map[string][]byte            // files that it wrote, by path below the workspace's root
	Seen   map[string][sha256.Size]byte // what was in the files that it edits when it read them
	Cached bool                         // it was asked earlier, and would say the same now
}

// Task runs a task of the plugin. What it gave can be: its edits are of files that it
// has read.
func (p *Plugin) Task(ctx context.Context, params abi.TaskParams) (Done, error) {
	var d Done
	a, err := p.ask(ctx, question{method: abi.MethodTask, project: params.Project, params: params}, &d.TaskResult)
	if err != nil {
		return Done{}, err
	}
	d.Out, d.Cached = a.Out, a.Cached
	if err := p.judgeTask(d.TaskResult); err != nil {
		return Done{}, err
	}
	d.Seen, err = p.seen(a, d.Edits)
	return d, err
}

// judgeTask says what is wrong with the answer of a task.
func (p *Plugin) judgeTask(r abi.TaskResult) error {
	if r.Exit != 0 && r.Exit != 1 {
		return p.lie("ends with %d, and a task ends with 0 or 1", r.Exit)
	}
	for _, d := range r.Diagnostics {
		if d.File != "" && !fs.ValidPath(d.File) {
			return p.lie("says something of %q, which is no path of the workspace", d.File)
		}
		if err := p.judge(d); err != nil {
			return err
		}
	}
	for _, e := range r.Edits {
		if !fs.ValidPath(e.File) || e.Start < 0 || e.End < e.Start {
			return p.lie("wants to edit the bytes from %d to %d of %q", e.Start, e.End, e.File)
		}
	}
	return nil
}

// seen is what was in the files of edits. Where in a file an edit belongs knows only
// who has read it.
func (p *Plugin) seen(a answer, edits []abi.Edit) (map[string][sha256.Size]byte, error) {
	if len(edits) == 0 {
		return nil, nil
	}
	asked, err := a.asked()
	if err != nil {
		return nil, err
	}
	all := map[string][sha256.Size]byte{}
	for _, e := range edits {
		read, ok := asked.Answer(trace.Question{Path: e.File, Kind: trace.Read})
		if !ok || read.Failure != trace.None {
			return nil, p.lie("wants to edit %q, which it has not read", e.File)
		}
		all[e.File] = read.Sum
	}
	return all, nil
}
