package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// stopGrace is how long mmdebstrap may take to clean up when it is cancelled.
const stopGrace = 10 * time.Second

// mmdebstrap makes the file system of a base.
type mmdebstrap struct {
	dir      string
	base     Base
	release  release
	apt      *apt
	progress func(string)
}

// run makes the file system and hands it to consume as a tar stream.
func (m *mmdebstrap) run(ctx context.Context, consume func(io.Reader) error) error {
	command, err := m.command(ctx)
	if err != nil {
		return err
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		return err
	}
	log := &logLines{progress: m.progress}
	command.Stderr = log
	if err := command.Start(); err != nil {
		return fmt.Errorf("start mmdebstrap: %w", err)
	}
	consumed := consume(stdout)
	if consumed != nil {
		_ = command.Cancel() // nobody reads on; it would wait for ever
	}
	err = command.Wait()
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case consumed != nil && !errors.Is(consumed, io.ErrUnexpectedEOF):
		return consumed
	case err != nil:
		return m.fault(log.tail.text(), err)
	default:
		return consumed
	}
}

// command is the command line. Cancelled, it gets SIGTERM for its whole
// process group, takes its mounts down, and is killed if that takes too long.
func (m *mmdebstrap) command(ctx context.Context) (*exec.Cmd, error) {
	sources := filepath.Join(m.dir, "sources.list")
	var lines strings.Builder
	for _, s := range m.release.sources {
		lines.WriteString(s.line())
	}
	if err := os.WriteFile(sources, []byte(lines.String()), 0o600); err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, "mmdebstrap", m.arguments(sources)...)
	command.Env = append(environment(m.dir), "SOURCE_DATE_EPOCH="+strconv.FormatInt(m.release.epoch.Unix(), 10))
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGTERM) }
	command.WaitDelay = stopGrace
	return command, nil
}

// arguments select the smallest system that can install packages, without
// documentation and translations, but with every copyright file. The excludes
// stay in force inside the base.
func (m *mmdebstrap) arguments(sources string) []string {
	args := []string{"--mode=root", "--variant=minbase", "--format=tar", "--aptopt=" + m.apt.config}
	if len(m.base.Include) > 0 {
		args = append(args, "--aptopt="+m.precheck(), "--include="+strings.Join(m.base.Include, ","))
	}
	for _, dir := range []string{"doc", "man", "info", "groff", "lintian", "linda", "locale", "gnome/help", "omf"} {
		args = append(args, "--dpkgopt=path-exclude=/usr/share/"+dir+"/*")
	}
	args = append(args,
		"--dpkgopt=path-include=/usr/share/doc/*/copyright",
		"--dpkgopt=path-include=/usr/share/locale/locale.alias",
		"--architectures="+m.base.Arch,
	)
	return append(args, m.base.Suite, "-", sources)
}

// precheck makes apt try the packages as soon as it knows what there is, so
// that a misspelt name costs seconds and not a download of the whole system.
func (m *mmdebstrap) precheck() string {
	var try strings.Builder
	try.WriteString("apt-get install --simulate -qq")
	for _, name := range m.base.Include {
		try.WriteString(" '" + name + "'") // checked: no quotes
	}
	return `APT::Update::Post-Invoke-Success { "` + try.String() + ` > /dev/null"; };`
}

// fault says why mmdebstrap failed.
func (m *mmdebstrap) fault(log string, err error) error {
	if found := noPackage().FindStringSubmatch(log); found != nil {
		name := strings.Trim(strings.Join(found[1:], ""), `'"`)
		return unknownPackage(name, m.base.Suite, complaints(log))
	}
	if f := fault.Disk(noSpace(log), m.dir); f != nil {
		f.Message, f.Details = fmt.Sprintf("mmdebstrap could not make %s: %s", m.base.Ref, f.Message), complaints(log)
		return f
	}
	return &fault.Error{
		Code:    "base.create_failed",
		Message: fmt.Sprintf("mmdebstrap could not make %s from %s: %v", m.base.Ref, m.base.Suite, err),
		Next:    "see what it said; packages that cannot be installed together are named there",
		Details: complaints(log),
		Err:     err,
	}
}

// noPackage matches what apt says of a package that does not exist.
func noPackage() *regexp.Regexp {
	return regexp.MustCompile(`(?m)E: (?:Unable to locate package (\S+)|Package (\S+) has no installation candidate|Version \S+ for (\S+) was not found)`)
}

// environment is what programs that make a base see of this process's: the
// way to the mirror, and nothing that could end in the image.
func environment(scratch string) []string {
	env := []string{"LC_ALL=C.UTF-8", "HOME=/root", "TMPDIR=" + scratch}
	for _, name := range []string{"PATH", "http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// logLines passes on what mmdebstrap does and keeps the end of what it says.
type logLines struct {
	progress func(string)
	tail     tail
}

// Write implements io.Writer.
func (l *logLines) Write(p []byte) (int, error) {
	for _, line := range l.tail.add(redact(string(p))) {
		if text, ok := strings.CutPrefix(line, "I: "); ok {
			l.progress(text)
		}
	}
	return len(p), nil
}
