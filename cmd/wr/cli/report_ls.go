package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/host/testrun"
	"github.com/wr-build/wr/host/ui"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// reportLsCmd is `wr report ls`.
type reportLsCmd struct{}

// listedRun is a run in `wr report ls --json`.
type listedRun struct {
	Run      string       `json:"run"`
	Started  time.Time    `json:"started"`
	Args     []string     `json:"args"`
	Finished bool         `json:"finished"`
	Alive    bool         `json:"alive"`
	Exit     int          `json:"exit"`
	Sums     report.Sums  `json:"sums"`
	Fault    *fault.Error `json:"fault,omitempty"` // why nothing else is known
}

// Read prints the runs, the newest first. One that cannot be read is listed as that.
func (reportLsCmd) Read(ctx context.Context, a *app) error {
	ws, err := workspace.Load(ctx, a.dir)
	if err != nil {
		return err
	}
	all := []listedRun{}
	for _, id := range newestFirst(ws) {
		if one, there := listRun(ws.Root, id); there {
			all = append(all, one)
		}
	}
	if a.JSON {
		return a.printJSON(all)
	}
	if len(all) == 0 {
		return &fault.Error{Code: "run.none", Message: "no run of tests is kept in this workspace", Next: "wr test --recursive"}
	}
	rows := make([][]string, len(all))
	for i, one := range all {
		rows[i] = one.row()
	}
	return ui.Table(a.Out, []string{"RUN", "STARTED", ">TESTS", ">FAILED", "RESULT", "COMMAND"}, rows)
}

func newestFirst(ws *workspace.Workspace) []string {
	ids := testrun.Runs(ws.Root)
	slices.Reverse(ids)
	return ids
}

// listRun is the line of one run; there = false of one that another process has
// just removed.
func listRun(root, id string) (one listedRun, there bool) {
	dir, err := testrun.Find(root, id)
	if err != nil {
		return listedRun{Run: id, Args: []string{}, Fault: fault.Of(err)}, !errors.Is(err, fs.ErrNotExist) && !fault.HasCode(err, "run.unknown")
	}
	defer dir.Close()
	r, err := dir.Load()
	if err != nil {
		return listedRun{Run: id, Args: []string{}, Fault: fault.Of(err)}, true
	}
	d := r.Document()
	return listedRun{id, r.Started, d.Args, r.Finished, !r.Finished && dir.Alive(), d.Exit, d.Sums, nil}, true
}

func (l listedRun) row() []string {
	result := fmt.Sprintf("exit %d", l.Exit)
	switch {
	case l.Fault != nil:
		return []string{l.Run, "-", "-", "-", l.Fault.Code, ""}
	case l.Alive:
		result = "goes on"
	case !l.Finished:
		result = "cut off"
	}
	return []string{l.Run, ui.Moment(l.Started), strconv.Itoa(l.Sums.Tests), strconv.Itoa(l.Sums.Failures + l.Sums.Errors), result, "wr " + strings.Join(l.Args, " ")}
}

// predictRuns are the words that name runs.
func predictRuns(ws *workspace.Workspace) []string {
	return append([]string{"latest"}, newestFirst(ws)...)
}
