//go:build linux

// Command without runs a program on a system that lacks something: its first
// argument names what, separated by commas, the others are the program.
package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"

	"github.com/wr-build/wr/host/plugin/confine/confinetest"
)

func main() {
	err := confinetest.Without(strings.Split(os.Args[1], ",")...)
	if err == nil {
		err = syscall.Exec(os.Args[2], os.Args[2:], os.Environ())
	}
	fmt.Fprintln(os.Stderr, "without:", err)
	os.Exit(1)
}
