package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// maxLog is the size from which on the log is put aside before a start.
const maxLog = 10 << 20

// Up makes sure that an engine serves s.Dirs and starts one when none answers.
// When one does, Up costs one connection. Any number of Ups at once end with
// one engine and without an error.
func Up(ctx context.Context, s Start) error {
	if err := s.Dirs.Validate(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, late(s.Dirs))
	defer cancel()
	for deaths := 0; ; {
		up, err := answers(s.Dirs)
		if up || err != nil {
			return err
		}
		if uid := os.Geteuid(); uid != 0 {
			return denied(fmt.Sprintf("no engine runs in %s, and only root can start one (this is uid %d)", s.Dirs.Run, uid), nil)
		}
		err = launch(ctx, s)
		switch {
		case fault.HasCode(err, "engine.held"):
			err = awaitOther(ctx, s.Dirs)
		case fault.HasCode(err, "engine.start_failed") && deaths < maxDeaths:
			deaths++ // The engine after that many throws damaged databases away.
			err = nil
		default:
			return err
		}
		if err != nil {
			return err
		}
	}
}

// awaitOther waits until the engine that another process starts answers, or
// gives its lock back.
func awaitOther(ctx context.Context, dirs Dirs) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if up, err := answers(dirs); up || err != nil {
			return err
		}
		if _, held := Holder(dirs); !held {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// launch starts an engine process and waits for its report.
func launch(ctx context.Context, s Start) error {
	log, err := openLog(s.Dirs)
	if err != nil {
		return err
	}
	defer log.Close()
	r, w, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("start engine: %w", err)
	}
	defer r.Close()
	cmd, err := s.command(log.File, w)
	if err == nil {
		err = cmd.Start()
	}
	_ = w.Close()
	if err != nil {
		return fmt.Errorf("start engine: %w", err)
	}
	go func() { _ = cmd.Wait() }() // Reaps it should it end before this process does.
	return awaitReport(ctx, r, log)
}

// startLog is the log as one start sees it.
type startLog struct {
	*os.File
	start int64 // where this start begins; the file's own offset moves with the engine's
}

// command is the engine as a process of its own session, so that neither a
// terminal's end nor Ctrl-C reaches it.
func (s Start) command(log, ready *os.File) (*exec.Cmd, error) {
	exe := s.Exe
	if exe == "" {
		own, err := os.Executable()
		if err != nil {
			return nil, err
		}
		exe = own
	}
	env := s.Env
	if env == nil {
		env = os.Environ()
	}
	cmd := exec.Command(exe, s.args()...) //nolint:noctx // the engine outlives whoever starts it
	cmd.Env = append(slices.Clip(env), readyEnv+"=3")
	if base := filepath.Dir(s.Dirs.State); (s.Dirs == Dirs{State: base + "/state", Run: base + "/run"}) {
		cmd.Env = append(cmd.Env, "WR_ENGINE_DIR="+base)
	}
	cmd.Dir = "/"
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = []*os.File{ready}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return cmd, nil
}

// openLog opens the log at its end. A big one is put aside first, which
// replaces the one put aside before.
func openLog(dirs Dirs) (*startLog, error) {
	if err := makeDir(dirs.State, 0o700, -1); err != nil {
		return nil, err
	}
	if info, err := os.Stat(dirs.Log()); err == nil && info.Size() > maxLog {
		if err := os.Rename(dirs.Log(), dirs.Log()+".1"); err != nil {
			return nil, fmt.Errorf("rotate log: %w", err)
		}
	}
	log, err := os.OpenFile(dirs.Log(), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	info, err := log.Stat()
	if err != nil {
		_ = log.Close()
		return nil, fmt.Errorf("open log: %w", err)
	}
	return &startLog{File: log, start: info.Size()}, nil
}

// awaitReport reads what the engine says of its start. An engine that says
// nothing is explained by what it wrote to the log since it was opened.
func awaitReport(ctx context.Context, r *os.File, log *startLog) error {
	stop := context.AfterFunc(ctx, func() { _ = r.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	var said report
	err := json.NewDecoder(r).Decode(&said)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return &fault.Error{
			Code:    "engine.start_failed",
			Message: "the engine ended before it was ready",
			Next:    "read " + log.Name(),
			Details: log.tail(),
			Err:     err,
		}
	case said.Fault != nil:
		return said.Fault
	}
	return nil
}

// tail returns the last lines of what was written since the start.
func (l *startLog) tail() string {
	text, err := io.ReadAll(io.NewSectionReader(l, l.start, maxLog))
	if err != nil {
		return ""
	}
	lines := strings.Split(string(bytes.TrimSpace(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "\n")
}

// late is the fault of an engine that takes too long. It is not killed: a slow
// disk would never see one start.
func late(dirs Dirs) *fault.Error {
	return &fault.Error{
		Code:    "engine.start_timeout",
		Message: fmt.Sprintf("the engine is not ready after %s", startTimeout),
		Next:    "try again in a moment; if that does not help, read " + dirs.Log(),
	}
}
