package pyscan

import "strings"

// Scan reads one Python file. It never fails: what it cannot decide it says,
// with the line, in the Reasons of the file or of a case.
func Scan(name string, src []byte, rules Rules) File {
	return scan(name, src, rules.patterns())
}

func scan(name string, src []byte, rules patterns) File {
	f := File{Version: Version, Name: name}
	text, fault := decode(src)
	if fault == nil {
		var p *parser
		var body []*stmt
		if p, body = parse(text); p.fault == nil {
			w := &walker{p: p, rules: rules, file: &f, module: newScope(nil)}
			w.run(body)
			return f
		}
		fault = p.fault
	}
	f.Reasons = []Reason{{Code: CodeSyntax, Doubt: Cases, Line: fault.line, What: fault.what}}
	return f
}

// walker carries out the statements of a module as far as they bind names. It
// guesses nothing: what it does not know is a computed value.
type walker struct {
	p      *parser
	rules  patterns
	file   *File
	module *scope
	marks  []mark // pytestmark of the module

	executed []span          // what runs when the module is imported
	units    []unit          // functions, for what might run then as well
	visits   int             // names looked at for cases
	full     bool            // there were too many
	inside   map[string]bool // names that functions mention; nil = not asked for yet
}

// run reads the module and then collects from it as pytest does.
func (w *walker) run(body []*stmt) {
	w.imports(body, Import{})
	w.body(w.module, nil, body, false)
	w.dynamic()
	w.hooks()
	w.collect()
}

// doubt notes a reason about the file as a whole.
func (w *walker) doubt(code string, d Doubt, line int, what string) {
	w.file.Reasons = append(w.file.Reasons, Reason{Code: code, Doubt: d, Line: line, What: what})
}

// imports notes all imports, those in functions too.
func (w *walker) imports(body []*stmt, like Import) {
	for _, s := range body {
		if s.kind == importStmt {
			w.file.Imports = append(w.file.Imports, s.facts(like)...)
			continue
		}
		for _, b := range s.blocks {
			inner := like
			inner.Function = like.Function || s.kind == defStmt
			inner.TypeChecking = like.TypeChecking || w.condition(s, b) == never && w.mentions(b.span, "TYPE_CHECKING")
			inner.Guarded = like.Guarded || s.word == "try" && w.catchesImportError(s)
			w.imports(b.body, inner)
		}
	}
}

// facts are the imports of one statement.
func (s *stmt) facts(like Import) []Import {
	like.Line = s.line
	if s.imported.from {
		like.Module, like.Level = s.imported.module, s.imported.level
		for _, n := range s.imported.names {
			like.Names = append(like.Names, Name{n.name, n.as})
		}
		return []Import{like}
	}
	var all []Import
	for _, n := range s.imported.names {
		like.Module, like.As = n.name, n.as
		all = append(all, like)
	}
	return all
}

// catchesImportError reports whether a try statement survives a module that is
// not there.
func (w *walker) catchesImportError(s *stmt) bool {
	for _, b := range s.blocks {
		if b.word != "except" {
			continue
		}
		if b.span.to-b.span.from == 1 {
			return true
		}
		for _, name := range []string{"ImportError", "ModuleNotFoundError", "Exception", "BaseException"} {
			if w.mentions(b.span, name) {
				return true
			}
		}
	}
	return false
}

// mentions reports whether a name stands among tokens.
func (w *walker) mentions(at span, name string) bool {
	for i := at.from; i < at.to; i++ {
		if w.p.tokens[i].kind == nameToken && w.p.text(i) == name {
			return true
		}
	}
	return false
}

// certainty is whether a block is carried out when a module is imported.
type certainty uint8

const (
	perhaps certainty = iota
	always
	never
)

// condition finds out whether a block of a compound statement is carried out.
func (w *walker) condition(s *stmt, b block) certainty {
	if s.kind != compoundStmt {
		return always
	}
	if s.word != "if" {
		return perhaps
	}
	first := w.literalCondition(s.blocks[0].span)
	switch {
	case b.word == "if":
		return first
	case first == always:
		return never
	case first == never && b.word == "else" && len(s.blocks) == 2:
		return always
	}
	return perhaps
}

// literalCondition knows the conditions that are the same in every run of
// pytest.
func (w *walker) literalCondition(at span) certainty {
	var b strings.Builder
	for i := at.from + 1; i < min(at.to, at.from+6); i++ {
		b.WriteString(w.p.text(i))
	}
	switch cond := b.String(); cond {
	case "TYPE_CHECKING", "False", "0",
		`__name__=="__main__"`, `__name__=='__main__'`, `"__main__"==__name__`, `'__main__'==__name__`:
		return never
	case "True", "1", "notTYPE_CHECKING":
		return always
	default:
		if strings.HasSuffix(cond, ".TYPE_CHECKING") && at.to-at.from == 4 {
			return never
		}
	}
	return perhaps
}
