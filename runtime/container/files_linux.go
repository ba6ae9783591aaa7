package container

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/containerd/containerd/v2/pkg/cio"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/wr-build/wr/runtime/spec"
)

// generated is a file that wr writes for one container.
type generated struct {
	target string // container path
	text   []byte
}

// dir is the directory of one container's files on the host.
func (m *Manager) dir(id string) string { return filepath.Join(m.cfg.Files, id) }

// logFiles take what the agent itself prints before it serves, to stdout and to
// stderr. Why two: containerd's shim closes one file for both when either of
// them ends, and so loses what the other still had to say.
func (m *Manager) logFiles(id string) (stdout, stderr string) {
	return filepath.Join(m.dir(id), "agent.out"), filepath.Join(m.dir(id), "agent.err")
}

// agentSaid is what the log files hold.
func (m *Manager) agentSaid(id string) string {
	stdout, stderr := m.logFiles(id)
	said, _ := os.ReadFile(stderr)
	more, _ := os.ReadFile(stdout)
	return strings.TrimSpace(string(said) + string(more))
}

// logIO has the shim write to the log files, which exist.
func (m *Manager) logIO(container string) (cio.IO, error) {
	none, err := cio.NullIO(container)
	if err != nil {
		return nil, err
	}
	stdout, stderr := m.logFiles(container)
	return logged{IO: none, config: cio.Config{Stdout: stdout, Stderr: stderr}}, nil
}

// logged is a task's output in two files.
type logged struct {
	cio.IO
	config cio.Config
}

// Config is what the shim is told.
func (l logged) Config() cio.Config { return l.config }

// noteFile holds what the maker of a container wants to know of it later.
func (m *Manager) noteFile(id string) string { return filepath.Join(m.dir(id), "note.json") }

// Note keeps a note with a container, for an engine that comes after this one.
func (m *Manager) Note(id string, note []byte) error {
	temporary := m.noteFile(id) + ".new"
	if err := os.WriteFile(temporary, note, 0o600); err != nil {
		return err
	}
	return os.Rename(temporary, m.noteFile(id))
}

// Noted returns the note that Note kept.
func (m *Manager) Noted(id string) ([]byte, error) { return os.ReadFile(m.noteFile(id)) }

// EntrypointLog makes the file that takes what the image's ENTRYPOINT prints,
// and returns it open for reading and writing.
func (m *Manager) EntrypointLog(id string) (*os.File, error) {
	return os.OpenFile(filepath.Join(m.dir(id), "entrypoint.log"), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
}

// OpenEntrypointLog opens for reading what the ENTRYPOINT printed. It is
// fs.ErrNotExist where there was none to run.
func (m *Manager) OpenEntrypointLog(id string) (*os.File, error) {
	return os.Open(filepath.Join(m.dir(id), "entrypoint.log"))
}

// writeFiles makes the directory of a container and returns the mounts that
// bring its files inside.
func (m *Manager) writeFiles(id string, c spec.Container, users accounts, who Identity) ([]specs.Mount, error) {
	dir := m.dir(id)
	sock := filepath.Join(dir, "sock")
	if err := os.MkdirAll(sock, 0o700); err != nil {
		return nil, err
	}
	stdout, stderr := m.logFiles(id)
	for _, log := range []string{stdout, stderr} {
		if err := os.WriteFile(log, nil, 0o600); err != nil {
			return nil, err
		}
	}
	mounts := []specs.Mount{
		bind(m.cfg.Agent, spec.Agent, "ro"),
		bind(sock, socketDir, "rw"),
	}
	if c.Role == spec.RoleTest {
		scratch := filepath.Join(dir, "scratch")
		if err := os.Mkdir(scratch, 0o700); err != nil {
			return nil, err
		}
		mounts = append(mounts, bind(scratch, spec.Scratch, "rw"))
	}
	files, err := generate(c, users, who)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		host := filepath.Join(dir, filepath.Base(f.target))
		if err := os.WriteFile(host, f.text, 0o644); err != nil {
			return nil, err
		}
		mounts = append(mounts, bind(host, f.target, "ro"))
	}
	return mounts, nil
}

// generate returns the files of a container that depend on how it is run.
func generate(c spec.Container, users accounts, who Identity) ([]generated, error) {
	hosts, resolv, err := names(c)
	if err != nil {
		return nil, err
	}
	files := []generated{
		{"/etc/hostname", []byte(hostname(c) + "\n")},
		{"/etc/hosts", hosts},
		{"/etc/resolv.conf", resolv},
	}
	if passwd, changed := users.passwdWith(who); changed {
		files = append(files, generated{"/etc/passwd", passwd})
	}
	return files, nil
}

// names returns the container's hosts and resolv.conf: the host's own with the
// host's network, and with none just enough to find itself. An empty
// resolv.conf hides the one of the machine that built the image.
func names(c spec.Container) (hosts, resolv []byte, err error) {
	if c.Network != spec.NetworkHost {
		return fmt.Appendf(nil, "127.0.0.1\tlocalhost %s\n::1\tlocalhost ip6-localhost ip6-loopback\n", hostname(c)), nil, nil
	}
	if hosts, err = readOptional("/etc/hosts"); err != nil {
		return nil, nil, err
	}
	if resolv, err = readOptional("/etc/resolv.conf"); err != nil {
		return nil, nil, err
	}
	if text := string(hosts); text != "" && !strings.HasSuffix(text, "\n") {
		hosts = append(hosts, '\n')
	}
	return fmt.Appendf(hosts, "127.0.1.1\t%s\n", hostname(c)), resolv, nil
}

// Names returns what a container like c knows of the names of machines. It may
// change with the host's own.
func Names(c spec.Container) ([]byte, error) {
	hosts, resolv, err := names(c)
	return slices.Concat(hosts, resolv), err
}

// readOptional reads a file that may be missing.
func readOptional(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return text, err
}

func hostname(c spec.Container) string {
	if c.Hostname == "" {
		return "wr"
	}
	return c.Hostname
}

// bind is a private bind mount of a host path.
func bind(source, target, access string) specs.Mount {
	return specs.Mount{
		Type: "bind", Source: source, Destination: target,
		Options: []string{"rbind", "rprivate", "nosuid", "nodev", access},
	}
}
