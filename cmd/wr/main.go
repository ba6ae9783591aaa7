// Command wr builds and runs the containers of a repository's projects, and
// pytest in them. See docs/ and `wr --help`.
package main

import (
	"context"
	"os"

	"github.com/wr-build/wr/cmd/wr/cli"
)

func main() {
	// Why not here: libraries for containers keep this goroutine on the first thread of
	// the process, and to hand it anything takes a switch of threads there and back.
	code := make(chan int)
	go func() {
		code <- cli.Main(context.Background(), os.Args[1:], cli.Process{
			In: os.Stdin, Out: os.Stdout, Err: os.Stderr, LookupEnv: os.LookupEnv,
		})
	}()
	os.Exit(<-code)
}
