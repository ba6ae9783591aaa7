package check

import (
	"regexp"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// names judges what stages are called.
func names(lint *linter.Linter, stages []instructions.Stage) {
	seen := map[string]bool{"": true}
	for _, s := range stages {
		if rule := &linter.RuleReservedStageName; s.Name == "context" || s.Name == "scratch" {
			lint.Run(rule, s.Location, rule.Format(s.Name))
		}
		if rule := &linter.RuleDuplicateStageName; s.Name != "" && seen[s.Name] {
			lint.Run(rule, s.Location, rule.Format(s.Name))
		}
		seen[s.Name] = true
	}
}

// word is an instruction's name as it was written.
type word struct {
	text string
	at   []parser.Range
}

// casing wants all instructions written as most of them are.
func casing(lint *linter.Linter, stages []instructions.Stage) {
	var all []word
	for _, s := range stages {
		all = append(all, word{s.OrigCmd, s.Location})
		for _, c := range s.Commands {
			all = append(all, word{c.Name(), c.Location()})
		}
	}
	majority, change := "uppercase", strings.ToUpper
	if mostlyLower(all) {
		majority, change = "lowercase", strings.ToLower
	}
	for _, w := range all {
		if rule := &linter.RuleConsistentInstructionCasing; change(w.text) != w.text {
			lint.Run(rule, w.at, rule.Format(w.text, majority))
		}
	}
}

func mostlyLower(all []word) bool {
	lower, upper := 0, 0
	for _, w := range all {
		switch w.text {
		case strings.ToLower(w.text):
			lower++
		case strings.ToUpper(w.text):
			upper++
		}
	}
	return lower > upper
}

// commands judges instructions, each by itself and by what came before it in its stage.
func commands(lint *linter.Linter, stages []instructions.Stage) {
	shells := map[string]bool{} // by name of a stage: it has a SHELL
	for _, s := range stages {
		st := stage{last: map[string][]parser.Range{}, shell: shells[strings.ToLower(s.BaseName)]}
		for _, c := range s.Commands {
			st.command(lint.WithMergedConfigFromComments(comments(c)), c)
		}
		if s.Name != "" {
			shells[strings.ToLower(s.Name)] = st.shell
		}
	}
}

// comments are those that stand before an instruction.
func comments(c instructions.Command) []string {
	if with, ok := c.(interface{ Comments() []string }); ok {
		return with.Comments()
	}
	return nil
}

// stage is what is known of a stage so far.
type stage struct {
	last  map[string][]parser.Range // where the last instruction of a name is
	shell bool                      // a SHELL was set
}

func (s *stage) command(lint *linter.Linter, c instructions.Command) {
	switch c := c.(type) {
	case *instructions.ShellCommand:
		s.shell = true
	case *instructions.CmdCommand:
		s.once(lint, "CMD", c)
		s.exec(lint, c, c.PrependShell)
	case *instructions.EntrypointCommand:
		s.once(lint, "ENTRYPOINT", c)
		s.exec(lint, c, c.PrependShell)
	case *instructions.HealthCheckCommand:
		s.once(lint, "HEALTHCHECK", c)
	case *instructions.EnvCommand:
		pairs(lint, c, c.Env)
		for _, e := range c.Env {
			secret(lint, c, "ENV", e.Key)
		}
	case *instructions.LabelCommand:
		pairs(lint, c, c.Labels)
	case *instructions.ArgCommand:
		for _, a := range c.Args {
			secret(lint, c, "ARG", a.Key)
		}
	case *instructions.ExposeCommand:
		for _, port := range c.Ports {
			expose(lint, c, port)
		}
	}
}

// once tells of the instruction before, which has no effect.
func (s *stage) once(lint *linter.Linter, name string, c instructions.Command) {
	if rule := &linter.RuleMultipleInstructionsDisallowed; s.last[name] != nil {
		lint.Run(rule, s.last[name], rule.Format(c.Name()))
	}
	s.last[name] = c.Location()
}

// exec wants what runs to be named without a shell that would keep signals from it.
func (s *stage) exec(lint *linter.Linter, c instructions.Command, throughShell bool) {
	if rule := &linter.RuleJSONArgsRecommended; throughShell && !s.shell {
		lint.Run(rule, c.Location(), rule.Format(c.Name()))
	}
}

// pairs wants ENV and LABEL to be written with "=".
func pairs(lint *linter.Linter, c instructions.Command, pairs instructions.KeyValuePairs) {
	for _, p := range pairs {
		if rule := &linter.RuleLegacyKeyValueFormat; p.NoDelim {
			lint.Run(rule, c.Location(), rule.Format(c.Name()))
		}
	}
}

// secret tells of names that sound like secrets, whose values stay in the image.
func secret(lint *linter.Linter, c instructions.Command, instruction, name string) {
	if rule := &linter.RuleSecretsUsedInArgOrEnv; secretWord.MatchString(name) && !harmlessWord.MatchString(name) {
		lint.Run(rule, c.Location(), rule.Format(instruction, name))
	}
}

// What the names of secrets have in them, and what those have that sound like some.
var (
	secretWord   = regexp.MustCompile(`(?i)(^|_)(apikey|auth|credentials?|key|password|pword|passwd|secret|token)(_|$)`)
	harmlessWord = regexp.MustCompile(`(?i)(^|_)(public|file|version)(_|$)`)
)

// expose wants a port of the container and nothing of the host's.
func expose(lint *linter.Linter, c instructions.Command, port string) {
	if strings.Contains(port, "$") {
		return
	}
	mapped := strings.LastIndex(port, ":")
	_, protocol, _ := strings.Cut(port[mapped+1:], "/")
	if rule := &linter.RuleExposeProtoCasing; protocol != strings.ToLower(protocol) {
		lint.Run(rule, c.Location(), rule.Format(port))
	}
	if rule := &linter.RuleExposeInvalidFormat; mapped > 0 {
		lint.Run(rule, c.Location(), rule.Format(port))
	}
}
