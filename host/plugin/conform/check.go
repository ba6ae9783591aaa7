package conform

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/wr-build/wr/host/plugin/rpc"
	"github.com/wr-build/wr/sdk/go/abi"
)

// patience is how long a plugin may take for one rule.
const patience = 20 * time.Second

// Subject is a plugin that is looked at.
type Subject struct {
	Manifest abi.Manifest
	Files    []string                                        // what it is to lint and format; none = it is asked about none
	Start    func(ctx context.Context) (rpc.Instance, error) // a new instance of it
}

// Finding is a rule, and whether the plugin keeps it.
type Finding struct {
	Rule   string   `json:"rule"`             // stable: "unknown-method"
	Claim  string   `json:"claim"`            // what a plugin that keeps the rule does
	Broken []string `json:"broken,omitempty"` // in which ways it does not; none = it keeps the rule
}

// rule is something that a plugin has to keep to.
type rule struct {
	name  string
	claim string
	try   func(ctx context.Context, t *trial) error
}

// rules are all rules of plugins of kind rpc, in the order of docs/plugins/abi.md.
var rules = []rule{
	{"greeting", "answers initialize with wr/1 and with the name and version of its manifest", greeting},
	{"newer-host", "takes wr/1 from a host that offers newer protocols too, and ignores what it does not know", newerHost},
	{"no-protocol", "refuses a host that does not speak wr/1, with an error", noProtocol},
	{"unknown-method", "refuses methods that it does not know with error -32601, and goes on", unknownMethod},
	{"unprovided-method", "refuses what its manifest does not provide with error -32601", unprovided},
	{"unknown-notification", "ignores notifications that it does not know", unknownNotification},
	{"provided-method", "answers all that its manifest provides, with a result or an error", provided},
	{"refused-question", "answers also when the host refuses what it asks for", refused},
	{"shutdown", "answers shutdown, says nothing more and ends", shutdown},
	{"end-of-input", "ends when its stdin does", endOfInput},
}

// Check tries all rules on a plugin, each on a new instance. Its error is that of
// starting one; a plugin that keeps to nothing is no error.
func Check(ctx context.Context, subject Subject) ([]Finding, error) {
	schemas, findings := schemas{}, []Finding{}
	for _, r := range rules {
		broken, err := try(ctx, subject, schemas, r)
		if err != nil {
			return findings, err
		}
		findings = append(findings, Finding{r.name, r.claim, broken})
	}
	return findings, nil
}

// try tries one rule, and holds what the plugin wrote meanwhile against the schema.
func try(ctx context.Context, subject Subject, schemas schemas, r rule) ([]string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("nothing came within %s", patience))
	defer cancel()
	instance, err := subject.Start(ctx)
	if err != nil {
		return nil, fmt.Errorf("start the plugin: %w", err)
	}
	defer instance.Kill()
	t := newTrial(subject, instance)
	var broken []string
	if err := r.try(ctx, t); err != nil {
		broken = append(broken, err.Error())
	}
	for _, line := range t.strays {
		broken = append(broken, "a line on its stdout is no message: "+line)
	}
	return append(broken, t.said.judge(schemas)...), nil
}

func greeting(ctx context.Context, t *trial) error {
	answer, err := t.greet(ctx, t.hello())
	if err != nil {
		return err
	}
	if m := t.subject.Manifest; answer.Plugin.Name != m.Name || answer.Plugin.Version != m.Version {
		return fmt.Errorf("it calls itself %s %s, its manifest %s %s", answer.Plugin.Name, answer.Plugin.Version, m.Name, m.Version)
	}
	return nil
}

func newerHost(ctx context.Context, t *trial) error {
	hello := struct {
		abi.Initialize
		News map[string]int `json:"news"`
	}{t.hello(), map[string]int{"of": 2}}
	hello.Protocols = []string{"wr/2000", abi.Version}
	_, err := t.greet(ctx, hello)
	return err
}

func noProtocol(ctx context.Context, t *trial) error {
	hello := t.hello()
	hello.Protocols = []string{"wr/2000"}
	_, err := t.greet(ctx, hello)
	if _, refused := errors.AsType[*abi.Error](err); refused {
		return nil
	}
	if err == nil {
		err = errors.New("it accepted")
	}
	return err
}

func unknownMethod(ctx context.Context, t *trial) error {
	if _, err := t.greet(ctx, t.hello()); err != nil {
		return err
	}
	for range 2 {
		if err := wantCode(t.call(ctx, "conform/unknown", abi.Work{Project: "."}), abi.CodeMethodNotFound); err != nil {
			return err
		}
	}
	return t.session.Close(ctx)
}

func unprovided(ctx context.Context, t *trial) error {
	if _, err := t.greet(ctx, t.hello()); err != nil {
		return err
	}
	mine := t.questions()
	for _, method := range []string{
		abi.MethodLint, abi.MethodFormat, abi.MethodDiscover, abi.MethodTask, abi.MethodRelease, abi.MethodImage, abi.MethodCheck,
	} {
		if _, provides := mine[method]; provides {
			continue
		}
		if err := wantCode(t.call(ctx, method, abi.Work{Project: "."}), abi.CodeMethodNotFound); err != nil {
			return fmt.Errorf("%s: %w", method, err)
		}
	}
	return t.session.Close(ctx)
}

func unknownNotification(ctx context.Context, t *trial) error {
	if _, err := t.greet(ctx, t.hello()); err != nil {
		return err
	}
	if err := t.session.Notify(ctx, "conform/unknown", abi.Empty{}); err != nil {
		return err
	}
	return t.session.Close(ctx)
}

func provided(ctx context.Context, t *trial) error {
	return t.askAll(ctx, nil)
}

func refused(ctx context.Context, t *trial) error {
	return t.askAll(ctx, refusal{})
}

func shutdown(ctx context.Context, t *trial) error {
	if _, err := t.greet(ctx, t.hello()); err != nil {
		return err
	}
	return t.session.Close(ctx)
}

func endOfInput(ctx context.Context, t *trial) error {
	if _, err := t.greet(ctx, t.hello()); err != nil {
		return err
	}
	if err := t.instance.Stdin.Close(); err != nil {
		return err
	}
	return t.drain(ctx)
}

// wantCode is nil for an error of the plugin with that code.
func wantCode(err error, code int) error {
	e, ok := errors.AsType[*abi.Error](err)
	switch {
	case err == nil:
		return fmt.Errorf("it answered with a result, want error %d", code)
	case !ok:
		return err
	case e.Code != code:
		return fmt.Errorf("it answered with error %d (%s), want %d", e.Code, strings.TrimSpace(e.Message), code)
	}
	return nil
}
