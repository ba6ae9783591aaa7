package testrun_test

import (
	"errors"
	"io"
	"io/fs"
	"testing"

	"github.com/wr-build/wr/host/testrun"
)

func TestTheLastLogIsOfTheNewestRunThatHasTheProject(t *testing.T) {
	w := newWorld(t, nil)
	if _, err := testrun.OpenLastLog(w.root, "p"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("never tested: got %v", err)
	}
	for run, project := range map[string]string{"20260101-000000-aaaa": "p", "20260102-000000-aaaa": "p", "20260103-000000-aaaa": "other"} {
		w.write(".wr/runs/"+run+"/projects/"+project+"/output.log", run)
	}
	f, err := testrun.OpenLastLog(w.root, "p")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if text, err := io.ReadAll(f); err != nil || string(text) != "20260102-000000-aaaa" {
		t.Errorf("got %q, %v", text, err)
	}
}
