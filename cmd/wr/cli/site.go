package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net"
	"os"

	"github.com/wr-build/wr/host/state"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// site is where the notebook of a project is reached.
type site struct {
	Port  int    `json:"port"`
	Token string `json:"token"`
	Found bool   `json:"-"` // it was there already
	Log   string `json:"-"` // host path of what it prints
}

// The ports of notebooks.
const (
	firstPort = 8200
	ports     = 800
)

const siteFile = "site.json"

// readSite returns what an earlier wr has kept; false when there is nothing.
func readSite(own state.Folder) (s site, ok bool) {
	text, err := own.ReadFile(siteFile)
	if err != nil {
		return site{}, false
	}
	ok = json.Unmarshal(text, &s) == nil && s.Port >= firstPort && s.Port < firstPort+ports && s.Token != ""
	if !ok {
		return site{}, false
	}
	return s, true
}

// write keeps the site, for the caller alone.
func (s *site) write(own state.Folder) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return own.Replace(siteFile, func(f *os.File) error {
		if err := f.Chmod(0o600); err != nil {
			return err
		}
		_, err := f.Write(text)
		return err
	})
}

// choose takes the project's own port, or the next one that is free, and a new
// token.
func (s *site) choose(ctx context.Context, c spec.Container) error {
	if s.Port == 0 {
		sum := fnv.New32a()
		fmt.Fprintf(sum, "%s\x00%s", c.Labels["wr.workspace"], c.Labels["wr.project"])
		s.Port = firstPort + int(sum.Sum32()%ports)
	}
	s.Token = state.Random(24)
	for range ports {
		if free(ctx, s.Port) {
			return nil
		}
		s.Port = firstPort + (s.Port-firstPort+1)%ports
	}
	return &fault.Error{
		Code: "notebook.no_port", Message: fmt.Sprintf("none of the ports %d to %d is free", firstPort, firstPort+ports-1),
		Next: "wr ps --all shows the notebooks that run",
	}
}

// free tells whether nobody listens on a port of this machine.
func free(ctx context.Context, port int) bool {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return false
	}
	_ = l.Close()
	return true
}

// address is where this machine reaches it.
func (s *site) address() string { return fmt.Sprintf("http://127.0.0.1:%d/", s.Port) }
