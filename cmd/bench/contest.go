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
	goals    []goal
	prepare  func(context.Context) ([]subject, []goal, error) // makes these when the contest begins; nil = they are there
}

// subject is one way to do the thing: a process, or a function of the bench.
type subject struct {
	name   string
	before func(context.Context) error                  // not measured
	within func(context.Context) error                  // instead of the command
	timed  func(context.Context) (time.Duration, error) // instead of both: it knows how long it took
	command
}

// command is a process to run.
type command struct {
	dir   string
	env   []string // nil = the bench's own
	argv  []string
	wants string // what has to be in the output, so that the thing is known to have been done
	never string // what must not be in it
	exit  int    // with which code it may end besides 0
}

// hold measures and prints the contest.
func (c contest) hold(ctx context.Context, w io.Writer, rounds int) error {
	if c.prepare != nil {
		var err error
		if c.subjects, c.goals, err = c.prepare(ctx); err != nil {
			return err
		}
	}
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
	medians := make([]time.Duration, len(c.subjects))
	for i, s := range c.subjects {
		medians[i] = median(times[i])
		m, floor := medians[i], medians[0]
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t  %s\n", ms(m), ms(slices.Min(times[i])), ms(slices.Max(times[i])), ratio(m, floor), s.name)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, g := range c.goals {
		g.tell(w, c.subjects, medians)
	}
	return nil
}

// measure runs the subject once.
func (s subject) measure(ctx context.Context) (time.Duration, error) {
	if s.before != nil {
		if err := s.before(ctx); err != nil {
			return 0, err
		}
	}
	if s.timed != nil {
		return s.timed(ctx)
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
	if err := cmd.Run(); err != nil && (c.exit == 0 || cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != c.exit) {
		return fmt.Errorf("%q: %w\n%s", c.argv, err, end(out.Bytes()))
	}
	if !bytes.Contains(out.Bytes(), []byte(c.wants)) {
		return fmt.Errorf("%q does not say %q\n%s", c.argv, c.wants, end(out.Bytes()))
	}
	if c.never != "" && bytes.Contains(out.Bytes(), []byte(c.never)) {
		return fmt.Errorf("%q says %q\n%s", c.argv, c.never, end(out.Bytes()))
	}
	return nil
}

// end is the end of what a process said.
func end(out []byte) []byte { return out[max(0, len(out)-2000):] }

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
