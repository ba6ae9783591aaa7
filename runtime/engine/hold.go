package engine

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// Hold says who holds the lock of an engine's directories.
type Hold struct {
	PID     int       `json:"pid"`
	Since   time.Time `json:"since"`
	Version string    `json:"version,omitempty"` // of wr
	Dirs    Dirs      `json:"dirs"`
}

// held is the fault of a lock that somebody else has.
func held(h Hold) *fault.Error {
	message := "another process is starting an engine on the same directories"
	if h.PID != 0 {
		message = fmt.Sprintf("%s is held by the engine with pid %d since %s",
			h.Dirs.State, h.PID, h.Since.Local().Format(time.DateTime))
	}
	return &fault.Error{
		Code:    "engine.held",
		Message: message,
		Next:    "use that engine, or stop it with `wr engine down`",
	}
}

// readHold reads the lock file. The result is zero while its holder writes it.
func readHold(f *os.File) Hold {
	var h Hold
	buf := make([]byte, 4096)
	n, _ := f.ReadAt(buf, 0)
	if json.Unmarshal(buf[:n], &h) != nil {
		return Hold{}
	}
	return h
}
