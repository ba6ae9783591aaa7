package image

import (
	"fmt"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"

	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// scratch is the name of the empty image.
const scratch = "scratch"

// stage is a stage with its base resolved.
type stage struct {
	instructions.Stage
	parent int // index of the stage it is built from; -1 = an image
}

// stages are the stages of a Dockerfile and what they share.
type stages struct {
	list    []stage
	byName  map[string]int
	globals map[string]string // arguments before the first FROM
	args    map[string]string // build arguments of the user
	lex     *shell.Lex
}

// newStages resolves the global arguments and every FROM.
func newStages(parsed []instructions.Stage, globals []instructions.ArgCommand, escape rune, d spec.Dockerfile) (*stages, error) {
	s := &stages{byName: map[string]int{}, args: d.Args, lex: shell.NewLex(escape)}
	if err := s.resolveGlobals(globals, targetName(parsed, d.Target)); err != nil {
		return nil, err
	}
	for _, p := range parsed {
		if err := s.add(p); err != nil {
			return nil, parser.WithLocation(err, p.Location)
		}
	}
	return s, nil
}

// targetName is the value of the predefined argument TARGETSTAGE.
func targetName(parsed []instructions.Stage, target string) string {
	if target == "" {
		target = parsed[len(parsed)-1].Name
	}
	if target == "" {
		return "default"
	}
	return target
}

// resolveGlobals gives the arguments before the first FROM their values.
func (s *stages) resolveGlobals(globals []instructions.ArgCommand, target string) error {
	s.globals = platformArgs(target)
	for name := range s.globals {
		if v, ok := s.args[name]; ok {
			s.globals[name] = v
		}
	}
	for _, command := range globals {
		for _, arg := range command.Args {
			if err := s.resolveGlobal(arg); err != nil {
				return parser.WithLocation(err, command.Location())
			}
		}
	}
	return nil
}

// resolveGlobal gives one argument its value.
func (s *stages) resolveGlobal(arg instructions.KeyValuePairOptional) error {
	if v, ok := s.args[arg.Key]; ok {
		s.globals[arg.Key] = v
		return nil
	}
	if arg.Value == nil {
		return nil
	}
	v, _, err := s.lex.ProcessWord(*arg.Value, vars(s.globals))
	if err != nil {
		return err
	}
	s.globals[arg.Key] = v
	return nil
}

// add appends a stage. Its base is a stage only if that one comes before it
// and is written in the same case.
func (s *stages) add(p instructions.Stage) error {
	base, _, err := s.lex.ProcessWord(p.BaseName, vars(s.globals))
	if err != nil {
		return err
	}
	if base == "" {
		return fmt.Errorf("base name (%s) should not be blank", p.BaseName)
	}
	p.BaseName = base
	parent, ok := s.byName[base]
	if !ok {
		parent = -1
	}
	s.list = append(s.list, stage{Stage: p, parent: parent})
	if p.Name != "" {
		s.byName[strings.ToLower(p.Name)] = len(s.list) - 1
	}
	return nil
}

// target is the index of the stage to build.
func (s *stages) target(name string) (int, error) {
	if name == "" {
		return len(s.list) - 1, nil
	}
	if i, ok := s.byName[strings.ToLower(name)]; ok {
		return i, nil
	}
	var names []string
	for _, st := range s.list {
		if st.Name != "" {
			names = append(names, st.Name)
		}
	}
	return 0, &fault.Error{
		Code:    "image.unknown_target",
		Class:   fault.Usage,
		Message: fmt.Sprintf("no stage is named %q", name),
		Hint:    fault.Closest(name, names),
		Next:    "stages with a name: " + strings.Join(names, ", "),
	}
}

// find is the index of the stage that a --from names.
func (s *stages) find(name string, byIndex bool) (int, bool, error) {
	if n, err := strconv.Atoi(name); err == nil && byIndex {
		if n < 0 || n >= len(s.list) {
			return 0, false, fmt.Errorf("invalid stage index %d", n)
		}
		return n, true, nil
	}
	i, ok := s.byName[strings.ToLower(name)]
	return i, ok, nil
}

// commands are what stage i does: the ONBUILD triggers of the stage it is
// built from, then its own.
func (s *stages) commands(i int) ([]instructions.Command, error) {
	st := s.list[i]
	if st.parent < 0 {
		return st.Commands, nil
	}
	var triggers []instructions.Command
	for _, c := range s.list[st.parent].Commands {
		on, ok := c.(*instructions.OnbuildCommand)
		if !ok {
			continue
		}
		trigger, err := parseTrigger(on.Expression)
		if err != nil {
			return nil, err
		}
		triggers = append(triggers, trigger)
	}
	return append(triggers, st.Commands...), nil
}

// parseTrigger parses the instruction behind ONBUILD.
func parseTrigger(expression string) (instructions.Command, error) {
	ast, err := parser.Parse(strings.NewReader(expression))
	if err != nil {
		return nil, err
	}
	if len(ast.AST.Children) != 1 {
		return nil, fmt.Errorf("onbuild trigger should be a single expression")
	}
	return instructions.ParseCommand(ast.AST.Children[0])
}

// cleanSource gives a source the form in which BuildKit asks for it.
func cleanSource(source string) string {
	return path.Join("/", filepath.ToSlash(source))
}
