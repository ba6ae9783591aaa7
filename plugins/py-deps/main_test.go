package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wr-build/wr/host/plugin/plugintest"
	"github.com/wr-build/wr/host/plugin/rpc"
	"github.com/wr-build/wr/plugins/py-deps/deps"
	"github.com/wr-build/wr/sdk/go/abi"
)

func TestThePluginAnswersWhatItsPackageFinds(t *testing.T) {
	plugin, tree := plugintest.Build(t), t.TempDir()
	files := []string{"p/a.py", "p/requirements.txt"}
	for name, text := range map[string]string{
		"p/a.py": "import own.x, numpy, requests, ignored\n", "p/requirements.txt": "requests\nflask\n", "own/x.py": "",
	} {
		at := filepath.Join(tree, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	config := deps.Config{Ignore: []string{"ignored"}}
	want, err := deps.Check(os.DirFS(tree), "p", files, config)
	if err != nil || len(want) != 2 {
		t.Fatalf("got %+v, %v", want, err)
	}
	plugin.Each(t, tree, config, func(t *testing.T, s *rpc.Session) {
		var got abi.LintResult
		err := s.Call(t.Context(), nil, abi.MethodLint, abi.LintParams{Work: abi.Work{Project: "p"}, Files: files}, &got)
		if diff := cmp.Diff(want, got.Diagnostics); err != nil || diff != "" {
			t.Errorf("%v, want, got:\n%s", err, diff)
		}
	})
	if err := plugin.Open(t, deps.Config{DevFiles: []string{"["}}); err == nil || !strings.Contains(err.Error(), `dev_files: "[" is no glob`) {
		t.Errorf("got %v", err)
	}
}
