//go:build linux && engine

package cli

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// notebooks is a workspace with a notebook in the project lab. At the end of the
// test nothing is left of its containers.
func notebooks(t *testing.T) (w real, dir string) {
	t.Helper()
	w = realWr(t)
	dir = workspaceCopy(t, "testdata/notebook")
	if out, errs, code := w.run(dir, "build", "-r"); code != 0 {
		t.Fatalf("build: exit %d\n%s\n%s", code, out, errs)
	}
	before := w.census()
	t.Cleanup(func() { w.leavesNothing(before) })
	return w, dir
}

// told is what wr notebook --json prints.
type told struct {
	Found bool
	Port  int
	URL   string
	SSH   string
	Log   string
	Error *fault.Error
}

// notebook runs wr notebook in a project.
func (w real) notebook(dir, project string) (p told) {
	w.t.Helper()
	out, errs, _ := w.run(dir, "notebook", project, "--json")
	if err := json.Unmarshal([]byte(out), &p); err != nil {
		w.t.Fatalf("%v\n%s\n%s", err, out, errs)
	}
	return p
}

// site is where a notebook is, from its address.
func (p told) site() *site {
	_, token, _ := strings.Cut(p.URL, "?token=")
	return &site{Port: p.Port, Token: token}
}

func TestANotebookIsFoundAgainUntilItIsStopped(t *testing.T) {
	w, dir := notebooks(t)
	ctx := context.Background()
	first := w.notebook(dir, "lab")
	if first.Error != nil || first.Found || !first.site().answers(ctx) {
		t.Fatalf("got %+v, which does not answer", first)
	}
	if (&site{Port: first.Port, Token: "guessed"}).answers(ctx) {
		t.Error("any token will do")
	}
	if text, err := os.ReadFile(first.Log); err != nil || !strings.HasPrefix(string(text), "serving /app/lab\n") {
		t.Errorf("the log is %q, %v", text, err)
	}
	again := w.notebook(dir, "lab")
	if !again.Found || again.URL != first.URL {
		t.Errorf("found %+v, want %s", again, first.URL)
	}
	if out, errs, _ := w.run(dir, "exec", "bare", "--", "sh", "-c", "grep -rl "+first.site().Token+" /app /.wr; true"); out != "" {
		t.Errorf("another project finds the token in %s%s", out, errs)
	}
	if out, _, _ := w.run(dir, "ps"); !strings.Contains(out, "/.wr/shell/notebook") {
		t.Errorf("wr ps says\n%s", out)
	}
	if _, errs, code := w.run(dir, "stop", "lab"); code != 0 {
		t.Fatalf("stop: exit %d\n%s", code, errs)
	}
	if first.site().answers(ctx) {
		t.Error("it answers after its container was stopped")
	}
	next := w.notebook(dir, "lab")
	if next.Found || next.Port != first.Port || next.URL == first.URL || !next.site().answers(ctx) {
		t.Errorf("after %+v came %+v, want the same port and another token", first, next)
	}
}

func TestAnInterruptedStartLeavesNoNotebook(t *testing.T) {
	w, dir := notebooks(t)
	slow := filepath.Join(dir, "lab", "slow")
	if err := os.WriteFile(slow, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := w.command(dir, "notebook", "lab")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(privateOf(dir, "lab", notebookFolder), notebookLog)
	for text := ""; !strings.HasPrefix(text, "slow\n"); {
		data, _ := os.ReadFile(log)
		text = string(data)
		if w.t.Context().Err() != nil || cmd.ProcessState != nil {
			t.Fatal("it never began")
		}
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if got := code(t, cmd.Wait()); got != 130 {
		t.Errorf("exit %d, want 130", got)
	}
	if out, _, _ := w.run(dir, "ps"); strings.Contains(out, "/.wr/shell/notebook") {
		t.Errorf("wr ps says\n%s", out)
	}
	if err := os.Remove(slow); err != nil {
		t.Fatal(err)
	}
	if p := w.notebook(dir, "lab"); p.Error != nil || p.Found {
		t.Errorf("the next one: %+v", p)
	}
}

func TestTwoWhoStartANotebookAtOnceGetOne(t *testing.T) {
	w, dir := notebooks(t)
	var all sync.WaitGroup
	var places [2]told
	for i := range places {
		all.Go(func() { places[i] = w.notebook(dir, "lab") })
	}
	all.Wait()
	if places[0].URL != places[1].URL || places[0].Found == places[1].Found {
		t.Errorf("got %+v", places)
	}
}

func TestANotebookThatCannotStartSaysWhy(t *testing.T) {
	w, dir := notebooks(t)
	if got := w.notebook(dir, "bare"); got.Error == nil || got.Error.Code != "notebook.missing" {
		t.Errorf("without Jupyter: %+v", got.Error)
	}
	if err := os.WriteFile(filepath.Join(dir, "lab", "broken"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	got := w.notebook(dir, "lab")
	if got.Error == nil || got.Error.Code != "notebook.ended" || !strings.Contains(got.Error.Details, "no luck today") {
		t.Errorf("one that ends at once: %+v", got.Error)
	}
}
