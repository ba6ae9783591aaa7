package hook

import (
	"context"
	"encoding/json"
	"slices"
	"unicode/utf8"

	"github.com/wr-build/wr/host/plugin/memo"
	"github.com/wr-build/wr/host/plugin/trace"
	"github.com/wr-build/wr/sdk/go/abi"
)

// portion are files of which it is kept together what a tool says: one, unless the
// tool judges them together.
type portion struct {
	files []string
	key   memo.Call
}

// lookAt has a tool look at those files of which nobody has kept what it says.
func (p *Plugin) lookAt(ctx context.Context, method string, params abi.LintParams) (_ []abi.Diagnostic, kept int, err error) {
	portions, err := p.portions(method, params)
	if err != nil {
		return nil, 0, err
	}
	said, left := []abi.Diagnostic{}, params
	left.Files = nil
	portions = slices.DeleteFunc(portions, func(one portion) bool {
		var known []abi.Diagnostic
		outcome, found := p.known(one.key)
		if found = found && json.Unmarshal(outcome.Result, &known) == nil; found {
			said = append(said, known...)
		} else {
			left.Files = append(left.Files, one.files...)
		}
		return found
	})
	kept = len(params.Files) - len(left.Files)
	if kept == len(params.Files) {
		return said, kept, nil
	}
	g, err := p.insist(ctx, question{method: method, project: params.Project, params: left, files: left.Files})
	if err != nil {
		return nil, 0, err
	}
	return append(said, g.said...), kept, p.keep(portions, g)
}

// portions are the files of a call as what is said of them is kept.
func (p *Plugin) portions(method string, params abi.LintParams) ([]portion, error) {
	parts := slices.Collect(slices.Chunk(params.Files, 1))
	if p.tool.program(method).whole {
		method, parts = method+" as a whole", [][]string{params.Files}
	}
	all := make([]portion, len(parts))
	for i, files := range parts {
		one := params
		one.Files = files
		key, err := p.key(method, one)
		if err != nil {
			return nil, err
		}
		all[i] = portion{files, key}
	}
	return all, nil
}

// keep keeps what was said of each portion with what the tool asked for, but for the
// files of the others: that it does not depend on them, its manifest says. Where
// something was said of a file that is in none, nothing is worth being kept.
func (p *Plugin) keep(portions []portion, g given) error {
	if p.config.Memo == nil {
		return nil
	}
	owner := map[string]int{}
	for i, one := range portions {
		for _, file := range one.files {
			owner[file] = i
		}
	}
	said := make([][]abi.Diagnostic, len(portions))
	for _, d := range g.said {
		i, asked := owner[d.File]
		if !asked {
			return nil
		}
		said[i] = append(said[i], d)
	}
	for i, one := range portions {
		if slices.ContainsFunc(edits(said[i]), func(e abi.Edit) bool { return !utf8.ValidString(e.Text) }) {
			continue // as text it would be another one
		}
		result, err := json.Marshal(said[i])
		if err != nil {
			return err
		}
		asked := g.asked.Without(func(q trace.Question) bool {
			of, known := owner[q.Path]
			return known && of != i
		})
		p.config.Memo.Put(one.key, memo.Outcome{Result: result}, asked, g.live...)
	}
	return nil
}
