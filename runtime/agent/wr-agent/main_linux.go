// Command wr-agent is the first process of every container that wr makes.
// See package agent for what it does.
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/wr-build/wr/runtime/agent"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run carries out one command line and returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	switch {
	case len(args) == 2 && args[0] == "serve":
		if err := agent.Serve(args[1]); err != nil {
			fmt.Fprintln(stderr, "wr-agent:", err)
			return 1
		}
		return 0
	case len(args) == 1 && args[0] == agent.TellEnvironment:
		if err := agent.WriteEnvironment(os.Stdin); err != nil {
			fmt.Fprintln(stderr, "wr-agent:", err)
			return 1
		}
		return 0
	case len(args) == 1 && args[0] == "version":
		fmt.Fprintln(stdout, "wr-agent protocol", agent.Version)
		return 0
	}
	fmt.Fprintln(stderr, "usage: wr-agent serve SOCKET | environment | version")
	return 2
}
