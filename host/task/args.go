package task

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// ErrHelp says that help was asked for instead of doing anything.
var ErrHelp = pflag.ErrHelp

// Call is a task with the arguments of one call.
type Call struct {
	Task
	values map[string]string // by name of the argument; none = not given
	words  []string          // for the command as they are
}

// Parse reads what was typed after the task. A task that declares arguments
// takes those; words for its command then come after "--", which is rest.
func (t Task) Parse(typed, rest []string) (Call, error) {
	c := Call{Task: t, values: map[string]string{}, words: rest}
	if len(t.Args) == 0 && !slices.Equal(typed, []string{"--help"}) {
		c.words = append(slices.Clone(typed), rest...)
		return c, nil
	}
	flags := c.flags()
	err := flags.Parse(typed)
	if errors.Is(err, pflag.ErrHelp) {
		return c, ErrHelp
	}
	if err == nil {
		err = c.takeWords(flags.Args())
	}
	if err != nil {
		return c, &fault.Error{
			Code: "task.bad_argument", Class: fault.Usage, Message: fmt.Sprintf("task %s: %v", t.Name, err),
			File: t.File, Line: t.line(".args"), Hint: t.closest(err), Next: "wr run " + t.ID() + " --help",
		}
	}
	return c, nil
}

// closest is the flag that an unknown one was meant to be, or "".
func (t Task) closest(err error) string {
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return ""
	}
	var names []string
	for _, arg := range t.Args {
		if !arg.Required {
			names = append(names, arg.Flag())
		}
	}
	if name := fault.Closest(unknown.GetSpecifiedName(), names); name != "" {
		return "--" + name
	}
	return ""
}

// takeWords gives the required arguments their values.
func (c *Call) takeWords(words []string) error {
	missing := c.required()
	if len(words) < len(missing) {
		return fmt.Errorf("%s is missing", missing[len(words)])
	}
	if len(words) > len(missing) {
		return fmt.Errorf("%q is one word too many; those for the command come after --", words[len(missing)])
	}
	next := 0
	for _, arg := range c.Args {
		if !arg.Required {
			continue
		}
		if err := arg.Check(words[next]); err != nil {
			return fmt.Errorf("%s: %w", arg.Name, err)
		}
		c.values[arg.Name] = words[next]
		next++
	}
	return nil
}

// flags are the arguments that are flags; what is set goes to c.
func (c *Call) flags() *pflag.FlagSet {
	flags := pflag.NewFlagSet(c.Name, pflag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Usage = func() {}
	flags.SortFlags = false
	for _, arg := range c.Args {
		if arg.Default.Given {
			c.values[arg.Name] = arg.Default.Text
		}
		if arg.Required {
			continue
		}
		flag := flags.VarPF(&value{arg, c.values}, arg.Flag(), "", usage(arg))
		if arg.Type == config.ArgBool {
			flag.NoOptDefVal = "true"
		}
	}
	return flags
}

// usage is what help says of a flag besides its name.
func usage(arg config.Arg) string {
	if arg.Type == config.ArgChoice {
		return strings.TrimSpace(arg.Help + " One of " + strings.Join(arg.Choices, ", ") + ".")
	}
	return arg.Help
}

// value is one argument as a pflag.Value.
type value struct {
	arg    config.Arg
	values map[string]string
}

// String is the value as it stands.
func (v *value) String() string {
	if v.values == nil {
		return "" // pflag compares with the zero value
	}
	return v.values[v.arg.Name]
}

// Set takes another value.
func (v *value) Set(text string) error {
	if err := v.arg.Check(text); err != nil {
		return err
	}
	v.values[v.arg.Name] = text
	return nil
}

// Type is what help calls a value.
func (v *value) Type() string {
	if v.arg.Type == "" {
		return string(config.ArgString)
	}
	return string(v.arg.Type)
}

// Help says how t is called.
func (t Task) Help() string {
	var b, words strings.Builder
	fmt.Fprintf(&b, "Usage: wr run %s", t.ID())
	for _, arg := range t.Args {
		if !arg.Required {
			continue
		}
		fmt.Fprintf(&b, " <%s>", arg.Name)
		fmt.Fprintf(&words, "  <%s>  %s\n", arg.Name, strings.TrimSpace(string(arg.Type)+"  "+usage(arg)))
	}
	flags := (&Call{Task: t, values: map[string]string{}}).flags()
	switch {
	case len(t.Args) == 0:
		b.WriteString(" [WORD ...]")
	case flags.HasFlags():
		b.WriteString(" [flags] [-- WORD ...]")
	default:
		b.WriteString(" [-- WORD ...]")
	}
	b.WriteString("\n")
	if t.Task.Help != "" {
		fmt.Fprintf(&b, "\n%s\n", t.Task.Help)
	}
	if words.Len() > 0 {
		fmt.Fprintf(&b, "\nArguments:\n%s", words.String())
	}
	if flags.HasFlags() {
		fmt.Fprintf(&b, "\nFlags:\n%s", flags.FlagUsages())
	}
	if len(t.Needs) > 0 {
		fmt.Fprintf(&b, "\nFirst: %s\n", strings.Join(t.Needs, ", "))
	}
	return b.String()
}
