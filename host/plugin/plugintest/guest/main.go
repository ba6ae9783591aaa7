// Command guest runs the module of a plugin in its tests: without limits, over what
// its manifest asks for, with its own stdin, stdout and stderr. Its argument is an
// order as JSON, its exit code the module's.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"

	"github.com/wr-build/wr/host/plugin/plugintest"
)

// broken is the exit code of an order that cannot be carried out.
const broken = 125

func main() {
	err := run(context.Background(), os.Args[1])
	ended, ok := errors.AsType[*sys.ExitError](err)
	switch {
	case err == nil:
	case ok:
		os.Exit(int(ended.ExitCode()))
	default:
		fmt.Fprintln(os.Stderr, "guest:", err)
		os.Exit(broken)
	}
}

func run(ctx context.Context, argument string) error {
	var order plugintest.Order
	if err := json.Unmarshal([]byte(argument), &order); err != nil {
		return err
	}
	code, err := os.ReadFile(order.Module)
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(order.Tree)
	if err != nil {
		return err
	}
	defer root.Close()
	cache, err := wazero.NewCompilationCacheWithDir(order.Cache)
	if err != nil {
		return err
	}
	runtime := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCompilationCache(cache))
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, runtime); err != nil {
		return err
	}
	tree := granted{FS: root.FS(), globs: order.Read}
	_, err = runtime.InstantiateWithConfig(ctx, code, wazero.NewModuleConfig().
		WithFSConfig(wazero.NewFSConfig().WithFSMount(tree, order.Place)).
		WithArgs(order.Args...).WithEnv("PWD", order.Place).
		WithStdin(os.Stdin).WithStdout(os.Stdout).WithStderr(os.Stderr))
	return err
}
