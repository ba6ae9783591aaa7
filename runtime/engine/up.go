package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// readyEnv names the descriptor on which a started engine reports.
const readyEnv = "WR_ENGINE_READY_FD"

// startTimeout is how long Up waits for an engine to answer.
const startTimeout = 15 * time.Second

// Start says how Up starts an engine when none answers.
type Start struct {
	Dirs  Dirs
	Exe   string   // the wr binary; "" = the running one
	Args  []string // its arguments; nil = engine serve, with --group when Group is set
	Env   []string // its environment; nil = this process's own
	Group string   // group whose members may use the engine; "" = the owner only
}

// args returns the arguments of the engine process.
func (s Start) args() []string {
	if s.Args != nil {
		return s.Args
	}
	args := []string{"engine", "serve"}
	if s.Group != "" {
		args = append(args, "--group", s.Group)
	}
	return args
}

// report is the one message of an engine to the Up that started it.
type report struct {
	Ready bool         `json:"ready,omitempty"`
	Fault *fault.Error `json:"fault,omitempty"`
}

// ReadyFile returns the file on which an engine started by Up reports, or nil
// when nobody waits. It takes the variable that names it out of the
// environment, and no child inherits the file.
func ReadyFile() *os.File {
	fd, err := strconv.Atoi(os.Getenv(readyEnv))
	_ = os.Unsetenv(readyEnv)
	if err != nil || fd <= 2 {
		return nil
	}
	syscall.CloseOnExec(fd)
	return os.NewFile(uintptr(fd), "ready")
}

// Ready reports on f that the engine serves its API, or why it does not, and
// closes f. A nil f is nobody who waits.
func Ready(f *os.File, err error) error {
	if f == nil {
		return nil
	}
	defer f.Close()
	if err := json.NewEncoder(f).Encode(report{Ready: err == nil, Fault: fault.Of(err)}); err != nil {
		return fmt.Errorf("report readiness: %w", err)
	}
	return nil
}

// Locate returns the directories of the engine that a user talks to: root's
// engine when that one lets them, else the DefaultDirs.
func Locate(getenv func(string) string, uid int) (Dirs, error) {
	dirs, err := DefaultDirs(getenv, uid)
	if uid == 0 || getenv("WR_ENGINE_DIR") != "" {
		return dirs, err
	}
	if up, _ := answers(SystemDirs()); up {
		return SystemDirs(), nil
	}
	return dirs, err
}

// answers reports whether an engine that this user can trust listens.
func answers(dirs Dirs) (bool, error) {
	if err := dirs.Trust(os.Geteuid()); err != nil {
		return false, err
	}
	socket := dirs.APISocket()
	conn, err := net.Dial("unix", socket) //nolint:noctx // a local socket answers or refuses at once
	switch {
	case err == nil:
		return true, conn.Close()
	case errors.Is(err, fs.ErrPermission):
		return false, denied("this user may not use the engine at "+socket, err)
	default:
		return false, nil
	}
}

// denied is the fault of a user who has no rights to an engine.
func denied(message string, err error) *fault.Error {
	return &fault.Error{
		Code:    "engine.denied",
		Message: message,
		Next: "run this command with sudo; or, once, `sudo wr engine up --group G` " +
			"with a group G that you are in (`sudo usermod -aG G $USER`, then log in again); " +
			"whoever may use the engine is as good as root",
		Err: err,
	}
}
