package conform

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/wr-build/wr/host/plugin/rpc"
	"github.com/wr-build/wr/sdk/go/abi"
)

// trial is one instance of a plugin that a rule is tried on.
type trial struct {
	subject  Subject
	instance rpc.Instance
	session  *rpc.Session
	said     *record
	strays   []string
}

func newTrial(subject Subject, instance rpc.Instance) *trial {
	t := &trial{subject: subject, said: &record{methods: map[int64]string{}}}
	instance.Stdout = io.TeeReader(instance.Stdout, t.said)
	t.instance = instance
	t.session = rpc.New(instance, 1, rpc.Listener{Stray: func(line string) { t.strays = append(t.strays, line) }})
	return t
}

// hello is how wr greets, without any grants.
func (t *trial) hello() abi.Initialize {
	return abi.Initialize{Protocols: []string{abi.Version}, Host: abi.Party{Name: "wr", Version: "conform"}, Grants: []string{}, Limits: abi.Limits{Line: abi.MaxLine, Pending: 1}}
}

// greet sends initialize.
func (t *trial) greet(ctx context.Context, hello any) (abi.Initialized, error) {
	var answer abi.Initialized
	t.said.asked(abi.MethodInitialize)
	err := t.session.Call(ctx, nil, abi.MethodInitialize, hello, &answer)
	if err == nil && answer.Protocol != abi.Version {
		err = fmt.Errorf("it chose the protocol %q, want %q", answer.Protocol, abi.Version)
	}
	return answer, err
}

// call asks for something, with nothing to be asked in return.
func (t *trial) call(ctx context.Context, method string, params any) error {
	t.said.asked(method)
	return t.session.Call(ctx, nil, method, params, &json.RawMessage{})
}

// questions are those that the manifest says the plugin answers, by method.
func (t *trial) questions() map[string][]any {
	work, provides := abi.Work{Project: "."}, t.subject.Manifest.Provides
	files := abi.LintParams{Work: work, Files: slices.Sorted(slices.Values(t.subject.Files))}
	if files.Files == nil {
		files.Files = []string{}
	}
	all := map[string][]any{}
	ask := func(provides bool, method string, params any) {
		if provides {
			all[method] = append(all[method], params)
		}
	}
	ask(provides.Lint != nil, abi.MethodLint, files)
	ask(provides.Format != nil, abi.MethodFormat, files)
	ask(provides.Discover, abi.MethodDiscover, abi.DiscoverParams{Work: work})
	ask(provides.Release, abi.MethodRelease, abi.ReleaseParams{Work: work, Version: "1.0.0", Stage: "prod"})
	ask(provides.Image, abi.MethodImage, abi.ImageParams{Work: work, Stage: "local"})
	for _, task := range provides.Tasks {
		ask(true, abi.MethodTask, abi.TaskParams{Work: work, Task: task.Name})
	}
	for _, hook := range provides.Checks {
		ask(true, abi.MethodCheck, abi.CheckParams{Work: work, Hook: hook})
	}
	return all
}

// askAll asks all that the plugin provides. An error is an answer too.
func (t *trial) askAll(ctx context.Context, functions rpc.Functions) error {
	if _, err := t.greet(ctx, t.hello()); err != nil {
		return err
	}
	if len(t.subject.Manifest.Provides.Events) > 0 {
		if err := t.session.Notify(ctx, abi.NoteEvent, abi.Event{Event: json.RawMessage(`{"type":"conform"}`)}); err != nil {
			return err
		}
	}
	questions := t.questions()
	for _, method := range slices.Sorted(maps.Keys(questions)) {
		for _, params := range questions[method] {
			t.said.asked(method)
			err := t.session.Call(ctx, functions, method, params, &json.RawMessage{})
			if _, answered := errors.AsType[*abi.Error](err); err != nil && !answered {
				return fmt.Errorf("%s: %w", method, err)
			}
		}
	}
	return t.session.Close(ctx)
}

// drain reads until the plugin has ended.
func (t *trial) drain(ctx context.Context) error {
	defer context.AfterFunc(ctx, t.instance.Kill)()
	_, _ = io.Copy(io.Discard, t.instance.Stdout)
	return context.Cause(ctx)
}

// refusal refuses all that is asked of the host.
type refusal struct{}

func (refusal) Handle(_ context.Context, method string, _ json.RawMessage) (any, *abi.Error) {
	data, err := json.Marshal(abi.Denied{Capability: method, Grant: "nothing is granted while the plugin is checked"})
	if err != nil {
		return nil, &abi.Error{Code: abi.CodeInternal, Message: err.Error()}
	}
	return nil, &abi.Error{Code: abi.CodeDenied, Message: method + " is not granted", Data: data}
}

// keptBytes is how much of what a plugin writes is held against the schema.
const keptBytes = 2 * abi.MaxLine

// record is what a plugin wrote, and what it was asked before.
type record struct {
	lines   bytes.Buffer // at most keptBytes
	count   int64
	methods map[int64]string // by the id of the request
}

// Write keeps what the plugin wrote. It never fails.
func (r *record) Write(p []byte) (int, error) {
	r.lines.Write(p[:min(len(p), keptBytes-r.lines.Len())])
	return len(p), nil
}

// asked notes that the next request is for that method: a Session counts from 1.
func (r *record) asked(method string) {
	r.count++
	r.methods[r.count] = method
}

// judge says what is wrong with the messages. Lines that are none are left out.
func (r *record) judge(schemas schemas) []string {
	var wrong []string
	for line := range bytes.Lines(r.lines.Bytes()) {
		var m abi.Message
		if json.Unmarshal(line, &m) != nil || m.JSONRPC == "" {
			continue
		}
		name, raw := r.carries(m)
		for _, err := range []error{schemas.judge("Message", line), schemas.judge(name, raw)} {
			if err != nil {
				wrong = append(wrong, fmt.Sprintf("%s is not as its schema says: %v", name, err))
			}
		}
	}
	return wrong
}

// carries is what a message brings, and the name of its schema.
func (r *record) carries(m abi.Message) (string, json.RawMessage) {
	switch {
	case m.Error != nil:
		return "Empty", nil
	case m.Method != "":
		if known, ok := asking[m.Method]; ok {
			return known.params, m.Params
		}
		return "Empty", nil
	}
	if m.ID != nil {
		if known, ok := asked[r.methods[*m.ID]]; ok {
			return known.result, m.Result
		}
	}
	return "Empty", nil
}
