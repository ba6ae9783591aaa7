// Command bench measures wr beside its floor and its peers: whole processes,
// in turn, in one run, so that a ratio holds on a noisy machine. `make bench`
// runs it; it needs root, a built wr, and starts and stops what it measures.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"syscall"
)

func main() {
	b := &bench{}
	rounds := flag.Int("rounds", 15, "counted rounds after one warm-up")
	flag.StringVar(&b.wr, "wr", "bin/wr", "the wr binary")
	flag.StringVar(&b.ctr, "ctr", "", "containerd's ctr; empty: leave it out")
	flag.StringVar(&b.docker, "docker", "", "directory with docker's programs; empty: leave it out")
	flag.StringVar(&b.buildkit.programs, "buildkit", "", "directory with buildkitd and buildctl; empty: leave them out")
	flag.StringVar(&b.turbo, "turbo", "", "the turbo program; empty: leave it out")
	only := flag.String("only", "", "regular expression for the titles of what is measured; empty: everything")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := b.run(ctx, *rounds, *only)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run prepares the bench, lets the contests take place and prints them.
func (b *bench) run(ctx context.Context, rounds int, only string) error {
	wanted, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	for _, path := range []*string{&b.wr, &b.ctr, &b.docker, &b.buildkit.programs, &b.turbo} {
		if *path == "" {
			continue
		}
		if *path, err = filepath.Abs(*path); err != nil {
			return err
		}
	}
	defer b.close()
	if err := b.open(); err != nil {
		return err
	}
	b.describe(os.Stdout)
	for _, part := range []part{{b.makePlugins, b.pluginContests}, {b.openEngine, b.contests}} {
		if err := part.hold(ctx, rounds, wanted); err != nil {
			return err
		}
	}
	return nil
}

// part is some contests that need the same.
type part struct {
	open     func(context.Context) error
	contests func() []contest
}

// hold holds the contests of a part that are wanted, and prepares nothing if none is.
func (p part) hold(ctx context.Context, rounds int, wanted *regexp.Regexp) error {
	unwanted := func(c contest) bool { return !wanted.MatchString(c.title) }
	if !slices.ContainsFunc(p.contests(), func(c contest) bool { return !unwanted(c) }) {
		return nil
	}
	if err := p.open(ctx); err != nil {
		return err
	}
	for _, contest := range slices.DeleteFunc(p.contests(), unwanted) {
		if err := contest.hold(ctx, os.Stdout, rounds); err != nil {
			return fmt.Errorf("%s: %w", contest.title, err)
		}
	}
	return nil
}
