// Command plughost runs plugins as others do, for the bench, beside wr:
//
//	plughost session MODULE CACHE TREE PLACE ARG...  one instance, with this program's own stdin and stdout
//	plughost tool MODULE CACHE TREE PLACE            instances with the arguments that a line of stdin has, as JSON
//	plughost extism MODULE CACHE TREE                lines "FUNCTION TIMES INPUT", by Extism's Go SDK
//
// The first two are wazero with WithCloseOnContextDone, which is how a program stops
// a plugin that lives in it. The last has a timeout, which does the same. Answers
// are lines; that to a function of Extism begins with how long all its calls took,
// in nanoseconds.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	extism "github.com/extism/go-sdk"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"
)

// timeout is longer than anything here takes.
const timeout = 10 * time.Minute

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	err := run(ctx, os.Args[1:])
	cancel()
	if err != nil {
		fmt.Fprintln(os.Stderr, "plughost:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) < 4 {
		return errors.New("usage: plughost session|tool|extism MODULE CACHE TREE ...")
	}
	module, cache, tree, rest := args[1], args[2], args[3], args[4:]
	switch args[0] {
	case "extism":
		return runExtism(ctx, module, cache, tree)
	case "session", "tool":
		h, err := newHost(ctx, module, cache, tree, rest[0])
		if err != nil {
			return err
		}
		if args[0] == "session" {
			return h.run(ctx, rest[1:], wazero.NewModuleConfig().WithStdin(os.Stdin).WithStdout(os.Stdout).WithStderr(os.Stderr))
		}
		return h.tool(ctx)
	}
	return fmt.Errorf("there is no %s", args[0])
}

// host is a module that is ready to run.
type host struct {
	runtime wazero.Runtime
	module  wazero.CompiledModule
	root    *os.Root
	place   string
}

func newHost(ctx context.Context, module, cache, tree, place string) (*host, error) {
	code, err := os.ReadFile(module)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(tree)
	if err != nil {
		return nil, err
	}
	compiled, err := wazero.NewCompilationCacheWithDir(cache)
	if err != nil {
		return nil, err
	}
	h := &host{root: root, place: place}
	h.runtime = wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCompilationCache(compiled).WithCloseOnContextDone(true))
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, h.runtime); err != nil {
		return nil, err
	}
	h.module, err = h.runtime.CompileModule(ctx, code)
	return h, err
}

// run runs one instance to its end.
func (h *host) run(ctx context.Context, args []string, config wazero.ModuleConfig) error {
	files := wazero.NewFSConfig().WithFSMount(h.root.FS(), h.place)
	instance, err := h.runtime.InstantiateModule(ctx, h.module, config.WithName("").WithArgs(args...).WithEnv("PWD", h.place).WithFSConfig(files))
	if instance != nil {
		err = errors.Join(err, instance.Close(ctx))
	}
	if exit := new(sys.ExitError); errors.As(err, &exit) && exit.ExitCode() == 0 {
		return nil
	}
	return err
}

// tool runs an instance for each line, and answers with what it printed.
func (h *host) tool(ctx context.Context) error {
	return answer(func(line string) (string, error) {
		var args []string
		if err := json.Unmarshal([]byte(line), &args); err != nil {
			return "", err
		}
		var out bytes.Buffer
		err := h.run(ctx, args, wazero.NewModuleConfig().WithStdout(&out).WithStderr(&out))
		if exit := new(sys.ExitError); err != nil && !errors.As(err, &exit) {
			return "", err
		}
		text, err := json.Marshal(out.String())
		return string(text), err
	})
}

// answer answers each line of stdin with one on stdout.
func answer(each func(line string) (string, error)) error {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		text, err := each(lines.Text())
		if err != nil {
			return err
		}
		if _, err := fmt.Println(text); err != nil {
			return err
		}
	}
	return lines.Err()
}

// runExtism calls functions of a plugin of Extism.
func runExtism(ctx context.Context, module, cache, tree string) error {
	compiled, err := wazero.NewCompilationCacheWithDir(cache)
	if err != nil {
		return err
	}
	manifest := extism.Manifest{
		Wasm:         []extism.Wasm{extism.WasmFile{Path: module}},
		AllowedPaths: map[string]string{"ro:" + tree: "/src"},
		Timeout:      uint64(timeout.Milliseconds()),
	}
	config := extism.PluginConfig{EnableWasi: true, RuntimeConfig: wazero.NewRuntimeConfig().WithCompilationCache(compiled)}
	plugin, err := extism.NewPlugin(ctx, manifest, config, nil)
	if err != nil {
		return err
	}
	defer plugin.Close(ctx)
	return answer(func(line string) (string, error) {
		function, rest, _ := strings.Cut(line, " ")
		count, input, _ := strings.Cut(rest, " ")
		var times int
		if _, err := fmt.Sscan(count, &times); err != nil {
			return "", err
		}
		var out []byte
		began := time.Now()
		for range times {
			if _, out, err = plugin.CallWithContext(ctx, function, []byte(input)); err != nil {
				return "", err
			}
		}
		return fmt.Sprintf("%d %s", time.Since(began).Nanoseconds(), out), nil
	})
}
