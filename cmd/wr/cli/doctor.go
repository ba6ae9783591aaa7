package cli

import (
	"context"
	"os"

	"github.com/wr-build/wr/host/plugin/confine"
	"github.com/wr-build/wr/host/ui"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/doctor"
)

// doctorCmd is `wr doctor`.
type doctorCmd struct{}

// diagnosis is what `wr doctor --json` prints.
type diagnosis struct {
	Usable bool           `json:"usable"`
	Checks []doctor.Check `json:"checks"`
}

// Read examines this machine and ends with 1 when something is a problem.
func (doctorCmd) Read(ctx context.Context, a *app) error {
	dirs, err := a.dirs()
	if err != nil {
		return err
	}
	where := a.dir // also outside of a workspace, and in a broken one
	if ws, err := workspace.Load(ctx, a.dir); err == nil {
		where = ws.Root
	}
	program, err := os.Executable()
	if err != nil {
		program = "wr"
	}
	checks := doctor.Examine(doctor.Gather(ctx, doctor.Config{
		Dirs: dirs, Workspace: where, UID: os.Getuid(), Version: Version(), Program: program,
	}))
	checks = append(checks, checkConfinement(confine.Lacking()))
	d := diagnosis{Usable: doctor.Usable(checks), Checks: checks}
	if err := a.printDiagnosis(d); err != nil {
		return err
	}
	if !d.Usable {
		return exit(1)
	}
	return nil
}

// checkConfinement says what the processes of plugins are confined by. What is lacking
// is no problem: a plugin still runs in WebAssembly, and the other layers hold.
func checkConfinement(lacking []string) doctor.Check {
	if f := unconfined(lacking); f != nil {
		return doctor.Check{Name: "plugins", Level: doctor.Warn, Finding: f.Message, Mend: f.Next}
	}
	return doctor.Check{Name: "plugins", Level: doctor.OK, Finding: "their processes are confined by Landlock, seccomp and limits"}
}

func (a *app) printDiagnosis(d diagnosis) error {
	if a.JSON {
		return a.printJSON(d)
	}
	var rows [][]string
	for _, c := range d.Checks {
		if c.Level != doctor.OK || !a.Quiet {
			rows = append(rows, []string{string(c.Level), c.Name, c.Finding})
		}
		if c.Mend != "" {
			rows = append(rows, []string{"", "", "mend: " + c.Mend})
		}
	}
	return ui.Table(a.Out, []string{"LEVEL", "CHECK", "FINDING"}, rows)
}
