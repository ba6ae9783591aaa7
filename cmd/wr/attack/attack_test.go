// Package attack has hostile plugins attack wr, as it is built and as people use it:
// each is added by `wr plugin add` and asked by `wr lint`, beside a good plugin.
//
// Whatever is tried, five things hold, and each row of a table is held against all of
// them: the plugin did try; it got nothing that it must not have, and was stopped in
// time where it did not end; nothing but wr's own state was touched, in the workspace
// and beside it; wr said what it was and ended with 1 or 3, with nothing left of it and
// little memory used; the good plugin answered.
//
// docs/plugins/sandbox.md lists the attacks, by the names of their tests.
package attack

import (
	"cmp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wr-build/wr/host/report"
)

const (
	// late is how long after its deadline a plugin may go on, on a machine that does
	// other things as well.
	late = 10 * time.Second
	// most is what wr and the process of a plugin may each use of the machine's memory
	// while a plugin attacks.
	most = 512 << 20
)

// attack is a row: what is tried, and what is to be seen.
type attack struct {
	// Who attacks.
	plant  func(f *field)              // what lies in the workspace and beside it; nil = nothing
	module func() []byte               // nil = testdata/shady
	tries  []string                    // what shady tries: "what = what it sees"; what does not come back has no " = "
	config map[string]string           // further keys of its config
	more   string                      // lines of its manifest
	flags  []string                    // of wr plugin add
	during func(f *field) (end func()) // what somebody else does meanwhile
	after  func(f *field)              // what is looked at besides; nil = nothing
	long   bool                        // it takes more than 3 seconds: left out with -short

	// What is seen.
	files    int           // that it is asked about; 0 = 1
	peak     int64         // bytes that a process may use; 0 = most
	deadline time.Duration // of a call; it is stopped then and not before; 0 = it is none that ends it
	turns    int           // how many calls may come to their deadline; 0 = 1
	code     string        // of the fault; "" = it answers, and wr ends with 1 for what it says
	says     []string      // parts of the fault
	quoted   bool          // they are what the plugin did, which is then not in its log
}

// run adds the plugin, lints, and holds what happened against the row.
func (a attack) run(t *testing.T) {
	if a.long {
		slow(t)
	}
	f := newField(t)
	if a.plant != nil {
		a.plant(f)
	}
	a.arm(f)
	before := f.tree()
	end := func() {}
	if a.during != nil {
		end = a.during(f)
	}
	r, o := f.lint()
	for a.tooEarly(r) { // the machine does other things
		a.deadline *= 2
		f.grant("call=" + a.deadline.String())
		before = f.tree()
		r, o = f.lint()
	}
	end()
	f.compare(before)
	a.judge(f, r, o)
	if o.peak > cmp.Or(a.peak, most) {
		t.Errorf("a process used %d MiB", o.peak>>20)
	}
	if one := linted(r, "good"); one.Fault != nil || len(one.Diagnostics) != 1 || one.Cached > 0 {
		t.Errorf("the good plugin said %+v, %v", one.Diagnostics, one.Fault)
	}
	if a.after != nil {
		a.after(f)
	}
}

// tooEarly says whether the plugin was stopped before it had begun.
func (a attack) tooEarly(r *report.Lint) bool {
	why := linted(r, "shady").Fault
	return why != nil && why.Code == "plugin.timeout" && why.Details == "" && a.deadline > 0 && a.deadline < 20*time.Second
}

// slow skips with -short what takes more than three seconds on a machine that does
// nothing else.
func slow(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("takes more than three seconds")
	}
}

// arm has both plugins in wr.lock.
func (a attack) arm(f *field) {
	f.t.Helper()
	path := built.path("shady.wasm")
	if a.module != nil {
		path = f.top + "/outside/module"
		f.write("outside/module", string(a.module()))
	}
	f.module("shady", path, a.more)
	config := map[string]any{}
	for key, value := range a.config {
		config[key] = value
	}
	var tries []string
	for i, try := range a.tries {
		a.tries[i] = strings.ReplaceAll(try, "TOP", f.top)
		what, _, _ := strings.Cut(a.tries[i], " = ")
		tries = append(tries, what)
	}
	if tries != nil {
		config["tries"] = tries
	}
	f.set(config)
	f.add("good")
	flags := append([]string{"--limit", "memory=64MiB"}, a.flags...)
	if a.deadline > 0 {
		flags = append(flags, "--limit", "call="+a.deadline.String())
	}
	f.add("shady", flags...)
}

// judge looks at what the attacker said, and wr of it.
func (a attack) judge(f *field, r *report.Lint, o outcome) {
	t := f.t
	t.Helper()
	one := linted(r, "shady")
	if one.Files != cmp.Or(a.files, 1) || one.Cached > 0 {
		t.Fatalf("it was not asked: %+v\n%s", one, o.stderr)
	}
	if a.code == "" {
		a.answered(t, one, o)
		return
	}
	why := one.Fault
	if why == nil || why.Code != a.code || o.code != 3 {
		t.Fatalf("exit %d, fault %#v, want %s; found %+v\n%s", o.code, why, a.code, one.Diagnostics, o.stderr)
	}
	t.Logf("%s: %v\n   next: %s\n%s", o.took.Round(time.Millisecond), why, why.Next, why.Details)
	said := strings.Join([]string{why.Message, why.Details, why.Next}, "\n")
	for _, part := range slices.Concat(a.says, a.marks()) {
		if !strings.Contains(said, part) {
			t.Errorf("the fault does not say %q:\n%s", part, said)
		}
	}
	if why.Next == "" && a.code != "plugin.failed" || !strings.Contains(why.Message, "shady") {
		t.Errorf("the fault does not say who and what next: %+v", why)
	}
	if a.deadline > 0 && (o.took < a.deadline || o.took > time.Duration(max(1, a.turns))*a.deadline+late) {
		t.Errorf("it was stopped after %s, and had %s", o.took, a.deadline)
	}
}

// marks are what an attacker leaves on stderr that did what it was to do.
func (a attack) marks() []string {
	if len(a.tries) == 0 || a.quoted {
		return nil
	}
	what, _, _ := strings.Cut(a.tries[len(a.tries)-1], " = ")
	return []string{"shady tries: " + what}
}

// answered compares what shady saw with what it was to see.
func (a attack) answered(t *testing.T, one report.Linted, o outcome) {
	t.Helper()
	if one.Fault != nil || o.code != 1 {
		t.Fatalf("exit %d, fault %v\n%s", o.code, one.Fault, o.stderr)
	}
	if len(one.Diagnostics) != len(a.tries) || len(a.tries) == 0 {
		t.Errorf("%d tries came back of %d", len(one.Diagnostics), len(a.tries))
	}
	for i, d := range one.Diagnostics {
		if want := a.tries[i]; d.Message != want {
			t.Errorf("got %q, want %q", d.Message, want)
		}
	}
}

// runAll runs a table.
func runAll(t *testing.T, all map[string]attack) {
	t.Helper()
	for name, a := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a.run(t)
		})
	}
}
