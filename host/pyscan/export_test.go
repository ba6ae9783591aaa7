package pyscan

import (
	"fmt"
	"strconv"
	"strings"
)

// Outline lists what was read of a module, a line each: imports, decorators,
// defs and classes, with lines and qualified names, in the order of the source.
// testdata/outline.py makes the same from CPython's own syntax tree.
func Outline(src []byte) ([]string, error) {
	text, fault := decode(src)
	if fault == nil {
		var p *parser
		var body []*stmt
		if p, body = parse(text); p.fault == nil {
			var o outline
			o.body(body, "")
			return o, nil
		}
		fault = p.fault
	}
	return nil, fmt.Errorf("line %d: %s", fault.line, fault.what)
}

type outline []string

func (o *outline) add(format string, args ...any) { *o = append(*o, fmt.Sprintf(format, args...)) }

func (o *outline) body(body []*stmt, within string) {
	for _, s := range body {
		switch s.kind {
		case importStmt:
			o.imports(s)
		case defStmt, classStmt:
			o.definition(s, within)
		default:
			for _, b := range s.blocks {
				o.body(b.body, within)
			}
		}
	}
}

func (o *outline) imports(s *stmt) {
	var names []string
	for _, n := range s.imported.names {
		names = append(names, n.name+"="+n.as)
	}
	o.add("%d import %s%s %s", s.line, strings.Repeat(".", s.imported.level), s.imported.module, strings.Join(names, ","))
}

func (o *outline) definition(s *stmt, within string) {
	for _, d := range s.decorators {
		o.add("%d @ %s", d.line, show(d.expr))
	}
	var params []string
	for _, p := range s.params {
		params = append(params, fmt.Sprintf("%c%s%t", p.kind, p.name, p.optional))
	}
	if s.kind == defStmt {
		o.add("%d def %s%s %t %s", s.line, within, s.name, s.async, strings.Join(params, ","))
	} else {
		o.add("%d class %s%s %s", s.line, within, s.name, showAll(s.bases))
	}
	o.body(s.blocks[0].body, within+s.name+".")
}

// show prints an expression, "?" for what is not read.
func show(e expr) string {
	switch e.form {
	case nameExpr, intExpr, floatExpr, constExpr:
		return e.text
	case textExpr:
		return strconv.QuoteToASCII(e.text)
	case bytesExpr:
		return fmt.Sprintf("b%x", e.text)
	case listExpr, tupleExpr, setExpr, dictExpr:
		return fmt.Sprintf("%d%s", e.form, showAll(e))
	case callExpr:
		fn := ""
		if e.fn != nil {
			fn = show(*e.fn)
		}
		return fn + showAll(e)
	case attrExpr:
		return show(*e.fn) + "." + e.text
	case starExpr:
		return "*" + showAll(e)
	default:
		return "?"
	}
}

func showAll(e expr) string {
	var all []string
	for _, item := range e.items {
		all = append(all, show(item))
	}
	for _, k := range e.keywords {
		all = append(all, k.name+"="+show(k.value))
	}
	return "(" + strings.Join(all, " ") + ")"
}
