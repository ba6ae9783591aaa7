package main

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wr-build/wr/host/plugin/plugintest"
	"github.com/wr-build/wr/host/plugin/rpc"
	"github.com/wr-build/wr/host/pyscan/discovery"
	"github.com/wr-build/wr/sdk/go/abi"
)

// corpus are trees of which pyscan itself is compared with pytest.
const corpus = "../../host/pyscan/testdata/corpus"

func TestThePluginFindsByteForByteWhatWrFinds(t *testing.T) {
	plugin := plugintest.Build(t)
	trees := map[string][]abi.DiscoverParams{
		corpus:                projects(t, corpus),
		standardLibrary(t):    {{}},
		"../../examples/acme": {{}, {Paths: []string{"test"}, Nested: []string{"infra", "optimizer"}}},
	}
	for _, example := range projects(t, "../../examples") {
		at := filepath.Join("../../examples", example.Project)
		trees[at] = append(trees[at], projects(t, at)...)
	}
	for tree, params := range trees {
		t.Run(filepath.Base(tree), func(t *testing.T) {
			plugin.Each(t, tree, nil, func(t *testing.T, s *rpc.Session) {
				cases := 0
				for _, p := range params {
					cases += same(t, s, tree, p)
				}
				if cases == 0 {
					t.Errorf("no case was found in %d projects of %s", len(params), tree)
				}
			})
		})
	}
}

// same compares what is found in one project, and counts the cases.
func same(t *testing.T, s *rpc.Session, tree string, p abi.DiscoverParams) int {
	t.Helper()
	root, err := os.OpenRoot(tree)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	want, err := discovery.Of(t.Context(), root.FS(), p)
	if err != nil {
		t.Fatal(err)
	}
	var got json.RawMessage
	if err := s.Call(t.Context(), nil, abi.MethodDiscover, p, &got); err != nil {
		t.Fatalf("%s: %v", p.Project, err)
	}
	raw, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, raw) {
		t.Errorf("%s: got  %s\nwant %s", p.Project, got, raw)
	}
	cases := 0
	for _, f := range want.Files {
		cases += len(f.Cases)
	}
	return cases
}

// projects are the directories of a tree, each as a project of its own.
func projects(t *testing.T, tree string) []abi.DiscoverParams {
	t.Helper()
	entries, err := os.ReadDir(tree)
	if err != nil {
		t.Fatal(err)
	}
	var all []abi.DiscoverParams
	for _, e := range entries {
		if e.IsDir() {
			all = append(all, abi.DiscoverParams{Work: abi.Work{Project: e.Name()}})
		}
	}
	return all
}

// standardLibrary is a copy of Python's standard library in which every file counts
// as a test, and all that may be a name of one.
func standardLibrary(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "python3", "-c", "import sysconfig; print(sysconfig.get_path('stdlib'))").Output()
	if err != nil {
		t.Fatalf("this test reads Python's standard library, which needs python3 on PATH (apt-get install python3): %v", err)
	}
	from, to := strings.TrimSpace(string(out)), filepath.Join(t.TempDir(), "stdlib")
	settings := "[pytest]\npython_files = *.py\npython_functions = *\npython_classes = *\n"
	if err := os.MkdirAll(to, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(to, "pytest.ini"), []byte(settings), 0o644); err != nil {
		t.Fatal(err)
	}
	err = fs.WalkDir(os.DirFS(from), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "site-packages" || d.Name() == "dist-packages"):
			return fs.SkipDir // what somebody installed
		case d.IsDir():
			return os.MkdirAll(filepath.Join(to, name), 0o755)
		case !d.Type().IsRegular() || !strings.HasSuffix(name, ".py"):
			return nil
		}
		src, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, name), src, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	return to
}
