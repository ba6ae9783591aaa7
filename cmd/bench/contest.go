package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"text/tabwriter"
	"time"
)

// contest is a set of subjects measured in turn. The first one is the floor
// that the others are compared with.
type contest struct {
	title    string
	rounds   int // at most; 0 = as many as asked for
	subjects []subject
}

// subject is one way to do the thing: a process, or a function of the bench.
type subject struct {
	name   string
	before func(context.Context) error // not measured
	within func(context.Context) error // instead of the command
	command
}

// command is a process to run.
type command struct {
	dir   string
	env   []string // nil = the bench's own
	argv  []string
	wants string // what has to be in the output, so that the thing is known to have been done
}

// hold measures and prints the contest.
func (c contest) hold(ctx context.Context, w io.Writer, rounds int) error {
	if c.rounds > 0 {
		rounds = min(rounds, c.rounds)
	}
	times := make([][]time.Duration, len(c.subjects))
	for round := range rounds + 1 {
		for i, s := range c.subjects {
			elapsed, err := s.measure(ctx)
			if err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			if round > 0 { // the first is the warm-up
				times[i] = append(times[i], elapsed)
			}
		}
	}
	fmt.Fprintf(w, "\n%s, %d rounds\n", c.title, rounds)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "median ms\tmin ms\tmax ms\tratio\t")
	floor := median(times[0])
	for i, s := range c.subjects {
		m := median(times[i])
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t  %s\n", ms(m), ms(slices.Min(times[i])), ms(slices.Max(times[i])), ratio(m, floor), s.name)
	}
	return t.Flush()
}

// measure runs the subject once.
func (s subject) measure(ctx context.Context) (time.Duration, error) {
	if s.before != nil {
		if err := s.before(ctx); err != nil {
			return 0, err
		}
	}
	run := s.run
	if s.within != nil {
		run = s.within
	}
	began := time.Now()
	err := run(ctx)
	return time.Since(began), err
}

// run runs the command and keeps its output for the error only.
func (c command) run(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, c.argv[0], c.argv[1:]...)
	cmd.Dir, cmd.Env = c.dir, c.env
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%q: %w\n%s", c.argv, err, out.String())
	}
	if !bytes.Contains(out.Bytes(), []byte(c.wants)) {
		return fmt.Errorf("%q does not say %q\n%s", c.argv, c.wants, out.String())
	}
	return nil
}

func median(times []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(times))
	return sorted[len(sorted)/2]
}

// ratio is how often the floor goes into d, in more digits where it is small.
func ratio(d, floor time.Duration) string {
	r := float64(d) / float64(floor)
	if r < 0.1 {
		return fmt.Sprintf("%.4f", r)
	}
	return fmt.Sprintf("%.2f", r)
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f", float64(d.Microseconds())/1000) }
