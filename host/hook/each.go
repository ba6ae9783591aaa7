package hook

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/wr-build/wr/host/plugin/memo"
	"github.com/wr-build/wr/host/plugin/trace"
	"github.com/wr-build/wr/sdk/go/abi"
)

// look has a tool look at files. One that judges them together is asked as other
// plugins are; else it is asked about those alone of which nothing is kept.
func (p *Plugin) look(ctx context.Context, method string, params abi.LintParams) ([]abi.Diagnostic, error) {
	if p.tool.program(method).whole {
		said := []abi.Diagnostic{}
		_, err := p.ask(ctx, question{method: method, project: params.Project, params: params, files: params.Files}, &said)
		return said, err
	}
	said, left := []abi.Diagnostic{}, params
	left.Files = nil
	keys := map[string]memo.Call{}
	for _, file := range params.Files {
		one := params
		one.Files = []string{file}
		key, err := p.key(method+" of a file", one)
		if err != nil {
			return nil, err
		}
		var known []abi.Diagnostic
		if outcome, found := p.known(key); found && json.Unmarshal(outcome.Result, &known) == nil {
			said = append(said, known...)
			continue
		}
		keys[file], left.Files = key, append(left.Files, file)
	}
	if len(left.Files) == 0 {
		return said, nil
	}
	g, err := p.insist(ctx, question{method: method, project: params.Project, params: left, files: left.Files})
	if err != nil {
		return nil, err
	}
	var more []abi.Diagnostic
	if err := json.Unmarshal(g.outcome.Result, &more); err != nil {
		return nil, err
	}
	return append(said, more...), p.keepEach(keys, more, g)
}

// keepEach keeps what was said of each file with what the tool asked for, but for
// the others of the call: that it does not depend on them, its manifest says. Where
// anything was said of another file, nothing is worth being kept.
func (p *Plugin) keepEach(keys map[string]memo.Call, said []abi.Diagnostic, g given) error {
	if p.config.Memo == nil || slices.ContainsFunc(said, func(d abi.Diagnostic) bool { return keys[d.File].Method == "" }) {
		return nil
	}
	for file, key := range keys {
		others := func(d abi.Diagnostic) bool { return d.File != file }
		result, err := json.Marshal(slices.DeleteFunc(slices.Clone(said), others))
		if err != nil {
			return err
		}
		asked := g.asked.Without(func(q trace.Question) bool {
			_, other := keys[q.Path]
			return other && q.Path != file
		})
		p.config.Memo.Put(key, memo.Outcome{Result: result}, asked, g.live...)
	}
	return nil
}
