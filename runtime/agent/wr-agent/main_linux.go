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
		return failed(stderr, agent.Serve(args[1], ""))
	case len(args) == 3 && args[0] == "serve":
		return failed(stderr, agent.Serve(args[1], args[2]))
	case len(args) == 2 && args[0] == agent.EnterIsolation:
		return failed(stderr, agent.Enter(args[1]))
	case len(args) > 3 && args[0] == agent.RunConfined:
		return failed(stderr, agent.Confined(args[1], args[2], args[3:]))
	case len(args) == 1 && args[0] == agent.TellEnvironment:
		return failed(stderr, agent.WriteEnvironment(os.Stdin))
	case len(args) == 1 && args[0] == "version":
		fmt.Fprintln(stdout, "wr-agent protocol", agent.Version)
		return 0
	}
	fmt.Fprintln(stderr, "usage: wr-agent serve SOCKET [SCRATCH] | environment | version")
	return 2
}

// failed says err, if there is one, and returns the exit code.
func failed(stderr io.Writer, err error) int {
	if err == nil {
		return 0
	}
	fmt.Fprintln(stderr, "wr-agent:", err)
	return 1
}
