package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// defaultPath is where commands are looked for when the environment has no PATH.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// environment is the agent's own environment with over laid over it; the last
// value of a name counts.
func environment(own, over []string) []string {
	place := map[string]int{}
	var env []string
	for _, entry := range slices.Concat(own, over) {
		name, _, _ := strings.Cut(entry, "=")
		if i, ok := place[name]; ok {
			env[i] = entry
			continue
		}
		place[name] = len(env)
		env = append(env, entry)
	}
	return env
}

// searchPath is the PATH of env.
func searchPath(env []string) string {
	for _, entry := range env {
		if value, ok := strings.CutPrefix(entry, "PATH="); ok {
			return value
		}
	}
	return defaultPath
}

// lookup finds the file to execute for the request, as execvp would in the
// request's directory and as its user.
func lookup(r Request, env []string) (string, *fault.Error) {
	name, dir := string(r.Args[0]), string(r.Dir)
	if problem := checkDir(r, dir); problem != nil {
		return "", problem
	}
	if strings.Contains(name, "/") {
		return name, checkFile(r, name, under(dir, name))
	}
	path := searchPath(env)
	var denied *fault.Error
	for _, d := range filepath.SplitList(path) {
		if d == "" {
			d = "."
		}
		file := under(dir, filepath.Join(d, name))
		problem := checkFile(r, name, file)
		if problem == nil {
			return file, nil
		}
		if problem.Code == NotExecutable && denied == nil {
			denied = problem
		}
	}
	if denied != nil {
		return "", denied
	}
	return "", notFound("%s: not found in the container's PATH (%s)", name, path)
}

// under makes name absolute, seen from dir.
func under(dir, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, name)
}

// checkDir says why the command cannot start in dir, or nil.
func checkDir(r Request, dir string) *fault.Error {
	info, err := os.Stat(dir)
	switch {
	case err != nil:
		return noDir(dir, reason(err))
	case !info.IsDir():
		return noDir(dir, "not a directory")
	case !r.mayExecute(info):
		return noDir(dir, fmt.Sprintf("user %d may not enter it", r.UID))
	}
	return nil
}

// checkFile says why the request's user cannot execute file, or nil.
func checkFile(r Request, name, file string) *fault.Error {
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return notExecutable("%s: permission denied", name)
	case err != nil:
		return notFound("%s: %s", name, reason(err))
	case info.IsDir():
		return notExecutable("%s: is a directory", name)
	case !info.Mode().IsRegular():
		return notExecutable("%s: not a regular file", name)
	case !r.mayExecute(info):
		return notExecutable("%s: no permission to execute it as user %d", name, r.UID)
	}
	return nil
}

// mayExecute tells whether the mode bits of a file let the request's user
// execute it, or enter it when it is a directory.
func (r Request) mayExecute(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return true
	}
	mode := info.Mode().Perm()
	switch {
	case r.UID == 0:
		return info.IsDir() || mode&0o111 != 0
	case int(stat.Uid) == r.UID:
		return mode&0o100 != 0
	case int(stat.Gid) == r.GID || slices.Contains(r.Groups, int(stat.Gid)):
		return mode&0o010 != 0
	}
	return mode&0o001 != 0
}

// startFailure explains why the kernel did not execute file.
func startFailure(name, file string, err error) *fault.Error {
	switch {
	case errors.Is(err, syscall.ENOENT):
		return notFound("%s: its interpreter or loader%s is not in the container", name, interpreter(file))
	case errors.Is(err, syscall.ENOEXEC):
		return notExecutable("%s: neither a program for this machine nor a script with a #! line", name)
	case errors.Is(err, syscall.EACCES):
		return notExecutable("%s: permission denied", name)
	case errors.Is(err, syscall.EAGAIN):
		return startFailed(name, err, "the container is at its limit of processes")
	case errors.Is(err, syscall.EPERM):
		return startFailed(name, err, "the agent has no right to run it as that user")
	}
	return startFailed(name, err, "")
}

// interpreter names the interpreter in the #! line of file, if it has one.
func interpreter(file string) string {
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer f.Close()
	head := make([]byte, 256)
	n, _ := f.Read(head)
	line, _, _ := strings.Cut(string(head[:n]), "\n")
	rest, ok := strings.CutPrefix(line, "#!")
	words := strings.Fields(rest)
	if !ok || len(words) == 0 {
		return ""
	}
	return fmt.Sprintf(" %q", words[0])
}

// reason is the bare cause of a file error.
func reason(err error) string {
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno.Error()
	}
	return err.Error()
}

// notFound is a command that does not exist.
func notFound(format string, args ...any) *fault.Error {
	return &fault.Error{Code: NotFound, Message: fmt.Sprintf(format, args...)}
}

// notExecutable is a command that exists and cannot run.
func notExecutable(format string, args ...any) *fault.Error {
	return &fault.Error{Code: NotExecutable, Message: fmt.Sprintf(format, args...)}
}

// noDir is a working directory that cannot be one.
func noDir(dir, why string) *fault.Error {
	return &fault.Error{Code: NoDir, Message: fmt.Sprintf("working directory %s: %s", dir, why)}
}

// startFailed is a command that the kernel refused to start.
func startFailed(name string, err error, why string) *fault.Error {
	message := fmt.Sprintf("start %s: %s", name, reason(err))
	if why != "" {
		message += ": " + why
	}
	return &fault.Error{Code: StartFailed, Message: message}
}
