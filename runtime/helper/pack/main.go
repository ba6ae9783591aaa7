// Command pack compresses programs into the folder from which wr embeds them:
//
//	go run ./runtime/helper/pack OUTDIR FILE...
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/wr-build/wr/runtime/helper"
)

func main() { os.Exit(run(os.Args[1:], os.Stderr)) }

// run carries out one command line and returns the exit code.
func run(args []string, stderr io.Writer) int {
	if len(args) < 2 {
		fmt.Fprintln(stderr, "usage: pack OUTDIR FILE...")
		return 2
	}
	if err := helper.Pack(args[0], args[1:]); err != nil {
		fmt.Fprintln(stderr, "pack:", err)
		return 1
	}
	return 0
}
