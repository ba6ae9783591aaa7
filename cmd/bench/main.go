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
	"syscall"
)

func main() {
	rounds := flag.Int("rounds", 15, "counted rounds after one warm-up")
	wr := flag.String("wr", "bin/wr", "the wr binary")
	ctr := flag.String("ctr", "", "containerd's ctr; empty: leave it out")
	docker := flag.String("docker", "", "directory with docker's programs; empty: leave it out")
	buildkit := flag.String("buildkit", "", "directory with buildkitd and buildctl; empty: leave them out")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := run(ctx, *rounds, *wr, *ctr, *docker, *buildkit)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run prepares the bench, lets every contest take place and prints them.
func run(ctx context.Context, rounds int, wr, ctr, docker, buildkit string) error {
	b := &bench{}
	for to, path := range map[*string]string{&b.wr: wr, &b.ctr: ctr, &b.docker: docker, &b.buildkit.programs: buildkit} {
		if path == "" {
			continue
		}
		absolute, err := filepath.Abs(path)
		if err != nil {
			return err
		}
		*to = absolute
	}
	defer b.close()
	if err := b.open(ctx); err != nil {
		return err
	}
	b.describe(os.Stdout)
	for _, contest := range b.contests() {
		if err := contest.hold(ctx, os.Stdout, rounds); err != nil {
			return fmt.Errorf("%s: %w", contest.title, err)
		}
	}
	return nil
}
