package cli

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/docker/go-units"

	"github.com/wr-build/wr/host/hook"
	"github.com/wr-build/wr/host/plugin/call"
	"github.com/wr-build/wr/host/plugin/rpc"
	"github.com/wr-build/wr/host/plugin/trace"
	"github.com/wr-build/wr/host/ui"
	"github.com/wr-build/wr/runtime/spec/fault"
	"github.com/wr-build/wr/sdk/go/abi"
)

// maxTraced is how many host functions of one call are shown: a plugin may call a
// million.
const maxTraced = 1000

// tracing shows everything that a plugin is asked and asks.
type tracing struct {
	plugin    string
	out       io.Writer
	json      bool
	lookupEnv func(string) (string, bool)

	mu      sync.Mutex // guards what follows, and out
	any     bool       // something was shown
	err     error      // the first of writing
	veil    veil
	pending map[*hook.Asked][]tracedCall
}

// tracedAsk is what a plugin was asked, in `wr plugin trace --json`. Times are in
// nanoseconds.
type tracedAsk struct {
	Plugin   string         `json:"plugin"`
	Method   string         `json:"method"`
	Params   any            `json:"params"`
	Files    []tracedFile   `json:"files,omitempty"`
	Calls    []tracedCall   `json:"calls,omitempty"`
	Left     int64          `json:"callsLeftOut,omitempty"`
	Wrote    map[string]int `json:"wrote,omitempty"` // bytes, by path
	Result   any            `json:"result,omitempty"`
	Fault    *tracedFault   `json:"fault,omitempty"`
	Attempts int            `json:"attempts"`
	Time     time.Duration  `json:"time"`
	Memory   int64          `json:"memory"`
	Opened   int            `json:"opened"`
	Read     int64          `json:"read"`
}

// tracedFault is why there is no answer.
type tracedFault struct {
	Code    string `json:"code,omitempty"`
	Message string `json:"message"`
}

// tracedFile is a question about the workspace.
type tracedFile struct {
	Path   string `json:"path"`
	Kind   string `json:"kind"`
	Answer string `json:"answer"`
}

// tracedCall is a function of the host that the plugin called.
type tracedCall struct {
	Method string        `json:"method"`
	Params any           `json:"params"`
	Result any           `json:"result,omitempty"`
	Denied string        `json:"denied,omitempty"` // the capability that would allow it
	Error  string        `json:"error,omitempty"`
	Time   time.Duration `json:"time"`
}

// watch is w, shown as well. grants name the secrets that the plugin may have.
func (t *tracing) watch(w hook.Watch, grants hook.Grants) hook.Watch {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.veil.learn(&call.Secrets{LookupEnv: t.lookupEnv}, grants.Values(abi.CapSecret))
	asked, started := w.Asked, w.Started
	w.Asked = func(a *hook.Asked) {
		asked(a)
		t.asked(a)
	}
	w.Started = func(s hook.Started) {
		started(s)
		t.started(s)
	}
	w.Called = t.called
	return w
}

func (t *tracing) started(s hook.Started) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.json {
		t.show(encoder(t.out).Encode(tracedStart{t.plugin, s.Time, s.Compile}))
		return
	}
	text := fmt.Sprintf("+++ %s started in %s", t.plugin, lasted(s.Time))
	if s.Compile > 0 {
		text += ", compiled in " + lasted(s.Compile)
	}
	_, err := fmt.Fprintln(t.out, text, "+++")
	t.show(err)
}

// show notes why something could not be shown. The caller holds the mutex.
func (t *tracing) show(err error) { t.err = cmp.Or(t.err, err) }

// tracedStart is a process of the plugin that is ready, in `wr plugin trace --json`.
// Times are in nanoseconds.
type tracedStart struct {
	Plugin  string        `json:"plugin"`
	Started time.Duration `json:"started"`
	Compile time.Duration `json:"compiled"`
}

// called keeps a call until what it is for is shown.
func (t *tracing) called(of *hook.Asked, c rpc.Called) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.pending[of]) >= maxTraced {
		return
	}
	if t.pending == nil {
		t.pending = map[*hook.Asked][]tracedCall{}
	}
	one := tracedCall{Method: c.Method, Params: t.veil.plain(c.Params), Time: c.Time}
	if c.Err == nil {
		one.Result = t.veil.plain(c.Result)
	} else {
		one.Error = t.veil.hide(c.Err.Message)
	}
	if c.Denied() {
		var d abi.Denied
		_ = json.Unmarshal(c.Err.Data, &d) // the host has made it
		one.Denied = d.Capability
	}
	t.pending[of] = append(t.pending[of], one)
}

// asked shows what a plugin was asked.
func (t *tracing) asked(a *hook.Asked) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.any = true
	one := tracedAsk{
		Plugin: t.plugin, Method: a.Method, Params: t.veil.plain(a.Params), Calls: t.pending[a], Wrote: a.Wrote,
		Attempts: a.Attempts, Time: a.Time, Memory: a.Memory, Opened: a.Files, Read: a.Read,
	}
	delete(t.pending, a)
	for _, f := range a.Calls {
		one.Left += f.Calls
	}
	one.Left -= int64(len(one.Calls))
	for question, answer := range a.Trace.All() {
		one.Files = append(one.Files, tracedFile{question.Path, kinds[question.Kind], answerOf(question, answer)})
	}
	if a.Err == nil {
		one.Result = t.veil.plain(a.Result)
	} else {
		f := fault.Of(a.Err)
		one.Fault = &tracedFault{f.Code, t.veil.hide(f.Message)}
	}
	if t.json {
		t.show(encoder(t.out).Encode(one))
		return
	}
	_, err := io.WriteString(t.out, one.text())
	t.show(err)
}

// kinds are the words for questions about files.
var kinds = map[trace.Kind]string{trace.Stat: "stat", trace.Lstat: "lstat", trace.Target: "readlink", trace.Read: "read", trace.List: "list"}

// answerOf says what a plugin was told of a file.
func answerOf(q trace.Question, a trace.Answer) string {
	switch a.Failure {
	case trace.Missing:
		return "missing"
	case trace.NotDir:
		return "not a directory"
	case trace.NotLink:
		return "not a link"
	case trace.TooManyLinks:
		return "too many links"
	case trace.None:
	}
	switch {
	case q.Kind != trace.Stat && q.Kind != trace.Lstat:
		return fmt.Sprintf("sha256:%x", a.Sum[:6])
	case a.Type == trace.Dir:
		return "directory"
	case a.Type == trace.Symlink:
		return "link"
	}
	return fmt.Sprintf("file of %d bytes", a.Size)
}

// text is the call as people read it.
func (t tracedAsk) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s(%s)\n", t.Plugin, t.Method, line(t.Params))
	for _, f := range t.Files {
		fmt.Fprintf(&b, "    %s %s = %s\n", f.Kind, f.Path, f.Answer)
	}
	for _, c := range t.Calls {
		fmt.Fprintf(&b, "    %s(%s) = %s <%s>\n", c.Method, line(c.Params), c.outcome(), lasted(c.Time))
	}
	if t.Left > 0 {
		fmt.Fprintf(&b, "    and %d more calls of the host\n", t.Left)
	}
	for _, name := range slices.Sorted(maps.Keys(t.Wrote)) {
		fmt.Fprintf(&b, "    wrote %s, %d bytes\n", name, t.Wrote[name])
	}
	answer := line(t.Result)
	if t.Fault != nil {
		answer = "FAILED " + t.Fault.Message + " [" + t.Fault.Code + "]"
	}
	fmt.Fprintf(&b, "  = %s <%s, %s in %s, %s of memory", answer, lasted(t.Time), units.BytesSize(float64(t.Read)), ui.Count(t.Opened, "file"), units.BytesSize(float64(t.Memory)))
	if t.Attempts > 1 {
		fmt.Fprintf(&b, ", asked %d times", t.Attempts)
	}
	b.WriteString(">\n")
	return b.String()
}

func (c tracedCall) outcome() string {
	switch {
	case c.Denied != "":
		return "DENIED " + c.Denied
	case c.Error != "":
		return "FAILED " + c.Error
	}
	return "ok " + line(c.Result)
}

// maxShown is how much of params and answers one line shows, in bytes.
const maxShown = 300

// line is a value on one line.
func line(value any) string {
	var b bytes.Buffer
	if err := encoder(&b).Encode(value); err != nil {
		return err.Error()
	}
	text := strings.TrimSpace(b.String())
	if len(text) > maxShown {
		text = strings.ToValidUTF8(text[:maxShown], "") + "..."
	}
	return text
}

// encoder writes JSON as people read it.
func encoder(w io.Writer) *json.Encoder {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e
}
