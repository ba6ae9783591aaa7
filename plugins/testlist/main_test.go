package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wr-build/wr/host/plugin/plugintest"
	"github.com/wr-build/wr/host/plugin/rpc"
	"github.com/wr-build/wr/plugins/testlist/list"
	"github.com/wr-build/wr/sdk/go/abi"
)

func TestThePluginAnswersWhatItsPackageFinds(t *testing.T) {
	plugin, tree := plugintest.Build(t), t.TempDir()
	for name, text := range map[string]string{
		"p/test_a.py": "def test_x(): pass\n", "p/all.list": "test_a.py::test_x slow db\n", "wrong/all.list": "\nno.py\n",
		"p/n.ipynb": `{"cells": [{"cell_type": "code", "source": ["def test_n(): pass"]}]}`,
	} {
		at := filepath.Join(tree, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	config := list.Config{Lists: []list.List{{File: "*.list"}}, Notebooks: list.Notebooks{Files: "*.ipynb"}}
	params := abi.DiscoverParams{Work: abi.Work{Project: "p"}}
	want, err := list.Discover(os.DirFS(tree), params, config)
	if err != nil || len(want) != 2 {
		t.Fatalf("got %+v, %v", want, err)
	}
	plugin.Each(t, tree, config, func(t *testing.T, s *rpc.Session) {
		var got abi.DiscoverResult
		err := s.Call(t.Context(), nil, abi.MethodDiscover, params, &got)
		if diff := cmp.Diff(want, got.Files); err != nil || diff != "" {
			t.Errorf("%v, want, got:\n%s", err, diff)
		}
		err = s.Call(t.Context(), nil, abi.MethodDiscover, abi.DiscoverParams{Work: abi.Work{Project: "wrong"}}, &got)
		e, ok := errors.AsType[*abi.Error](err)
		if !ok || e.Code != abi.CodeInvalid || e.Message != "wrong/all.list:2: there is no file wrong/no.py" {
			t.Errorf("a list that is wrong: got %v", err)
		}
	})
	if err := plugin.Open(t, list.Config{Lists: []list.List{{File: "["}}}); err == nil || !strings.Contains(err.Error(), "is no glob") {
		t.Errorf("got %v", err)
	}
}
