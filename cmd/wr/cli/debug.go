package cli

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/alecthomas/kong"

	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// debugFlags are the ways to look into tests while they run.
type debugFlags struct {
	Pdb            bool        `name:"pdb" xor:"debug" help:"As in pytest: open its debugger where a case fails, or calls breakpoint()."`
	Debugpy        debugpyPort `name:"debugpy" xor:"debug" help:"Wait until an editor attaches to 127.0.0.1:5678; --debugpy=PORT: to another port. The image needs debugpy."`
	ShellOnFailure bool        `name:"shell-on-failure" xor:"debug" help:"Open a shell in the container where a case fails, before its fixtures are torn down."`
}

// debugpyPort is a port, or that of debugpy's own examples where none is named.
type debugpyPort int

// usualDebugpyPort is the one that editors propose.
const usualDebugpyPort = 5678

// IsBool says that the flag needs no value.
func (debugpyPort) IsBool() bool { return true }

// Decode takes a value after = only.
func (p *debugpyPort) Decode(ctx *kong.DecodeContext) error {
	if ctx.Scan.Peek().Type != kong.FlagValueToken {
		*p = usualDebugpyPort
		return nil
	}
	text := ctx.Scan.Pop().String()
	if on, err := strconv.ParseBool(text); err == nil { // as in WR_DEBUGPY=1
		*p = 0
		if on {
			*p = usualDebugpyPort
		}
		return nil
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return fmt.Errorf("%q is no port", text)
	}
	*p = debugpyPort(port)
	return nil
}

// args are the arguments for pytest.
func (f debugFlags) args() []string {
	if f.Pdb {
		return []string{"--pdb"}
	}
	return nil
}

// debug says how the tests are looked into. A person can follow one container
// only.
func (f debugFlags) debug(a *app) (plan.Debug, error) {
	word := f.onTerminal(a.rest)
	d := plan.Debug{Terminal: word != "", Shell: f.ShellOnFailure, Port: int(f.Debugpy)}
	if d != (plan.Debug{}) {
		a.Jobs = 1
	}
	refused := func(code, message, next string) (plan.Debug, error) {
		return d, &fault.Error{Code: code, Class: fault.Usage, Message: word + message, Next: next}
	}
	switch {
	case d.Terminal && d.Port > 0:
		return refused("cli.usage", " and --debugpy can't be used together", "leave one out")
	case d.Terminal && a.JSON:
		return refused("test.no_terminal", " is for a person at the terminal, and --json for a program", "leave one out; --debugpy goes with --json")
	case d.Terminal && !a.onTerminal():
		return refused("test.no_terminal", " needs a terminal, and stdin and stdout are none", "type it in a terminal, or attach an editor: --debugpy")
	}
	return d, nil
}

// onTerminal is the word for which pytest gets the terminal, or "". rest are
// pytest's own arguments, of which some mean the same.
func (f debugFlags) onTerminal(rest []string) string {
	switch {
	case f.Pdb:
		return "--pdb"
	case f.ShellOnFailure:
		return "--shell-on-failure"
	case slices.Contains(rest, "--pdb"):
		return "--pdb"
	case slices.Contains(rest, "--trace"):
		return "--trace"
	default:
		return ""
	}
}

// sayDebug says what is different for whoever debugs.
func (a *app) sayDebug(d plan.Debug) {
	if d != (plan.Debug{}) && !a.Quiet {
		fmt.Fprintln(a.Err, "debugging: one container at a time, without time limits, reruns and workers")
	}
}
