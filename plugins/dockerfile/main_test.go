package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wr-build/wr/host/plugin/plugintest"
	"github.com/wr-build/wr/host/plugin/rpc"
	"github.com/wr-build/wr/plugins/dockerfile/check"
	"github.com/wr-build/wr/sdk/go/abi"
)

func TestThePluginAnswersWhatItsPackageFinds(t *testing.T) {
	plugin, tree := plugintest.Build(t), t.TempDir()
	sources := map[string]string{
		"a/Dockerfile":   "FROM debian AS Base\nCMD x\n",
		"Dockerfile.dev": "FROM debian\nRUNN x\n",
	}
	files := []string{"Dockerfile.dev", "a/Dockerfile"}
	if err := os.Mkdir(filepath.Join(tree, "a"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, src := range sources {
		if err := os.WriteFile(filepath.Join(tree, name), []byte(src), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	config := check.Config{Skip: []string{"StageNameCasing"}}
	plugin.Each(t, tree, map[string]any{"skip": config.Skip}, func(t *testing.T, s *rpc.Session) {
		for given, config := range map[string]check.Config{"": config, `{"error":true}`: {Error: true}} {
			var want []abi.Diagnostic
			for _, name := range files {
				want = append(want, check.File(name, []byte(sources[name]), config)...)
			}
			var got abi.LintResult
			params := abi.LintParams{Work: abi.Work{Project: ".", Config: json.RawMessage(given)}, Files: files}
			if err := s.Call(t.Context(), nil, abi.MethodLint, params, &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got.Diagnostics); diff != "" || len(want) < 2 {
				t.Errorf("config %s: want, got:\n%s", given, diff)
			}
		}
		var got abi.LintResult
		err := s.Call(t.Context(), nil, abi.MethodLint, abi.LintParams{Files: []string{"gone"}}, &got)
		if err == nil || !strings.Contains(err.Error(), "gone") {
			t.Errorf("a file that is not there: got %v, %v", got, err)
		}
	})
	if err := plugin.Open(t, map[string]any{"skip": []string{"a,b"}}); err == nil || !strings.Contains(err.Error(), `"a,b" is no name of a rule`) {
		t.Errorf("got %v", err)
	}
}
