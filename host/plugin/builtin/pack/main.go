// Command pack compresses plugins into the folder from which wr embeds them:
//
//	go run ./host/plugin/builtin/pack OUTDIR MODULE.wasm...
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/wr-build/wr/host/plugin/builtin"
)

func main() { os.Exit(run(os.Args[1:], os.Stderr)) }

// run carries out one command line and returns the exit code.
func run(args []string, stderr io.Writer) int {
	if len(args) < 2 {
		fmt.Fprintln(stderr, "usage: pack OUTDIR MODULE.wasm...")
		return 2
	}
	if err := builtin.Pack(args[0], args[1:]); err != nil {
		fmt.Fprintln(stderr, "pack:", err)
		return 1
	}
	return 0
}
