package helper

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestHelpersOfAnotherBuildAreStaleUnlessTheyRun(t *testing.T) {
	state, proc := t.TempDir(), t.TempDir()
	for _, key := range []string{"mine", "old", "running"} {
		write(t, filepath.Join(state, "data", key, "bin", "wr-agent"), "#!/bin/sh\n")
	}
	write(t, filepath.Join(state, "data", "old.lock"), "")
	if err := os.MkdirAll(filepath.Join(proc, "7"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(state, "data/running/bin/wr-agent"), filepath.Join(proc, "7/exe")); err != nil {
		t.Fatal(err)
	}
	old := filepath.Join(state, "data/old")
	got, err := stale(state, "mine", proc)
	if err != nil || !slices.Equal(got, []string{old}) {
		t.Fatalf("got %v, %v; want only %s", got, err, old)
	}
	if err := RemoveStale(old); err != nil {
		t.Fatal(err)
	}
	if got, err = stale(state, "mine", proc); err != nil || len(got) != 0 {
		t.Errorf("after its removal: %v, %v", got, err)
	}
}

func TestAStateWithoutHelpersHasNoStaleOnes(t *testing.T) {
	if got, err := Stale(t.TempDir()); err != nil || len(got) != 0 {
		t.Errorf("got %v, %v", got, err)
	}
}
