package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/spf13/pflag"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// oldForm is a command of the tools that wr replaces, so that `alias i=wr` is
// enough to go on. Help does not name them.
type oldForm struct {
	words  []string                                  // of the new form; flags are added
	rest   []string                                  // what comes after "--"
	bools  []string                                  // flags that stand alone
	texts  []string                                  // flags with a value
	ignore map[string]string                         // flags that mean nothing any more, and why
	finish func(f *oldForm, flags map[string]string) // puts flags where they belong
	later  bool                                      // the new command is there, and does not do it yet
}

// oldForms lists the old commands by name. A new form that this version does
// not have is told as that, so it may be listed before it is made.
func oldForms() map[string]oldForm {
	all := oldForm{words: []string{"stop"}, bools: []string{"all"}, finish: addBools}
	return map[string]oldForm{
		"docker_bash":               {words: []string{"shell"}, texts: []string{"stage"}},
		"docker_cmd":                {words: []string{"exec"}, texts: []string{"cmd", "stage"}, finish: command},
		"docker_ps":                 {words: []string{"ps"}},
		"docker_stats":              {words: []string{"stats"}},
		"docker_stop":               all,
		"docker_kill":               all,
		"docker_jupyter":            {words: []string{"notebook"}, texts: []string{"stage"}},
		"docker_pull":               {words: []string{"image", "pull"}},
		"docker_images_ls_repo":     {words: []string{"image", "ls"}},
		"docker_build_local_image":  build("version"),
		"docker_build_prod_image":   {words: []string{"release"}, later: true},
		"docker_push_dev_image":     {words: []string{"promote"}},
		"docker_push_prod_image":    {words: []string{"promote"}},
		"docker_release_dev_image":  {words: []string{"release"}, later: true},
		"docker_rollback_dev_image": {words: []string{"rollback"}},
		"run_fast_tests":            tests("fast"),
		"run_slow_tests":            tests("slow"),
		"run_superslow_tests":       tests("superslow"),
		"run_fast_slow_tests":       tests("fast,slow"),
		"run_tests":                 tests("all"),
		"pytest":                    {words: []string{"test", "--suite", "all"}},
	}
}

// build is the old way to make an image.
func build(ignored string) oldForm {
	return oldForm{
		words: []string{"build"}, bools: []string{"no-cache"}, finish: addBools, texts: []string{ignored},
		ignore: map[string]string{ignored: "an image is called by what it is made from"},
	}
}

// tests is an old list of tests.
func tests(suites string) oldForm {
	return oldForm{
		words: []string{"test", "--suite", suites}, texts: []string{"dir", "stage", "pytest-opts"}, bools: []string{"collect-only"}, finish: testFlags,
	}
}

// addBools gives the new form the flags that stand alone.
func addBools(f *oldForm, flags map[string]string) {
	for _, name := range f.bools {
		if flags[name] != "" {
			f.words = append(f.words, "--"+name)
		}
	}
}

// command gives `wr exec` the line that was a flag.
func command(f *oldForm, flags map[string]string) {
	if line := flags["cmd"]; strings.ContainsAny(line, "\"'`$|&;<>()*?[]{}~#\\\n") {
		f.rest = []string{"sh", "-c", line}
	} else {
		f.rest = strings.Fields(line)
	}
}

// testFlags gives `wr test` its project and pytest its flags.
func testFlags(f *oldForm, flags map[string]string) {
	if dir := flags["dir"]; dir != "" {
		f.words = append(f.words, dir)
	}
	if flags["collect-only"] != "" {
		f.rest = append(f.rest, "--co")
	}
	f.rest = append(f.rest, strings.Fields(flags["pytest-opts"])...)
}

// modern returns args in their new form, and what came after "--", when they
// call an old command; else both as they are.
func (a *app) modern(args []string, model *kong.Application) ([]string, error) {
	at := commandAt(args)
	if at < 0 {
		return args, nil
	}
	name := strings.ReplaceAll(args[at], "-", "_")
	form, ok := oldForms()[name]
	if !ok || hasCommand(model, args[at:at+1]) {
		return args, nil
	}
	rest := slices.Clone(a.rest)
	if name == "pytest" {
		form.rest = args[at+1:]
	} else if err := a.takeFlags(&form, name, args[at+1:]); err != nil {
		return nil, err
	}
	if form.later || !hasCommand(model, form.words) {
		return nil, &fault.Error{
			Code: "cli.not_yet", Class: fault.Usage,
			Message: fmt.Sprintf("%s will be `wr %s`, which this version does not have yet", name, strings.Join(form.words, " ")),
		}
	}
	if rest = append(form.rest, rest...); len(rest) > 0 {
		a.rest = rest
	}
	fmt.Fprintf(a.Err, "%s is now: wr %s\n", name, quotedWords(form.words, a.rest))
	return slices.Concat(args[:at], form.words), nil
}

// takeFlags reads the flags of an old command.
func (a *app) takeFlags(form *oldForm, name string, args []string) error {
	flags := pflag.NewFlagSet(name, pflag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Usage = func() {}
	// Why: the old tools took both --pytest_opts and --pytest-opts.
	flags.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		return pflag.NormalizedName(strings.ReplaceAll(name, "_", "-"))
	})
	for _, flag := range form.bools {
		flags.Bool(flag, false, "")
	}
	for _, flag := range form.texts {
		flags.String(flag, "", "")
	}
	err := flags.Parse(args)
	given := map[string]string{}
	flags.Visit(func(f *pflag.Flag) {
		if why := form.ignore[f.Name]; why != "" {
			fmt.Fprintf(a.Err, "%s --%s is not needed any more: %s\n", name, f.Name, why)
		} else if value := f.Value.String(); value != "false" {
			given[f.Name] = value
		}
	})
	if stage := given["stage"]; err == nil && stage != "" && stage != "local" {
		err = fmt.Errorf("there is no stage %q yet, only the image that is built here", stage)
	}
	if err != nil {
		return &fault.Error{
			Code: "cli.old_flag", Class: fault.Usage, Message: fmt.Sprintf("%s: %v", name, err),
			Next: "wr " + strings.Join(form.words, " ") + " --help shows what there is now",
		}
	}
	if form.finish != nil {
		form.finish(form, given)
	}
	form.words = append(form.words, flags.Args()...)
	return nil
}

// commandAt is the index of the command in args, behind flags; -1: none.
func commandAt(args []string) int {
	for i := 0; i < len(args); i++ {
		switch {
		case !strings.HasPrefix(args[i], "-"):
			return i
		case slices.Contains([]string{"-C", "--directory", "-j", "--jobs", "--color"}, args[i]):
			i++ // its value
		}
	}
	return -1
}

// hasCommand reports whether words lead to a command of the grammar.
func hasCommand(model *kong.Application, words []string) bool {
	node := model.Node
	for _, word := range words {
		if strings.HasPrefix(word, "-") {
			break
		}
		at := slices.IndexFunc(node.Children, func(n *kong.Node) bool { return n.Name == word })
		if at < 0 {
			return node != model.Node && len(node.Children) == 0 // the rest are its arguments
		}
		node = node.Children[at]
	}
	return true
}

// quotedWords are words, and rest behind "--", as a shell would need them.
func quotedWords(words, rest []string) string {
	if len(rest) > 0 {
		words = slices.Concat(words, []string{"--"}, rest)
	}
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = word
		if word == "" || strings.ContainsAny(word, " \t\n\"'`$|&;<>()*?[]{}~#\\") {
			quoted[i] = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		}
	}
	return strings.Join(quoted, " ")
}
