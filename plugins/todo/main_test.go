package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wr-build/wr/host/plugin/plugintest"
	"github.com/wr-build/wr/host/plugin/rpc"
	"github.com/wr-build/wr/sdk/go/abi"
)

func TestTheTaskListsAndJudges(t *testing.T) {
	plugin, tree := plugintest.Build(t), t.TempDir()
	if err := os.WriteFile(filepath.Join(tree, "a.py"), []byte("# TODO: one\n# TODO: two\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	plugin.Each(t, tree, nil, func(t *testing.T, s *rpc.Session) {
		ask := func(flags map[string][]string) (r abi.TaskResult) {
			flags["word"] = []string{"TODO"}
			if err := s.Call(t.Context(), nil, abi.MethodTask, abi.TaskParams{Work: abi.Work{Project: "."}, Task: "todo", Flags: flags}, &r); err != nil {
				t.Fatal(err)
			}
			return r
		}
		if r := ask(map[string][]string{}); r.Output != "a.py:1: TODO one\na.py:2: TODO two\n" || r.Exit != 0 || r.Diagnostics != nil {
			t.Errorf("got %+v", r)
		}
		if r := ask(map[string][]string{"format": {"markdown"}, "max": {"2"}}); !strings.HasPrefix(r.Output, "# To be done\n") || r.Exit != 0 {
			t.Errorf("got %+v", r)
		}
		if r := ask(map[string][]string{"max": {"1"}}); r.Exit != 1 || len(r.Diagnostics) != 2 {
			t.Errorf("got %+v", r)
		}
	})
}
