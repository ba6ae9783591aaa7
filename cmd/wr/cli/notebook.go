package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wr-build/wr/host/state"
	"github.com/wr-build/wr/runtime/daemon"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// notebookCmd is `wr notebook [PROJECT]`.
type notebookCmd struct {
	Project string `arg:"" predictor:"container" optional:"" help:"The project, or an entry of [images]; default: the nearest project above."`
	lastFlag
}

// Help is the long form.
func (notebookCmd) Help() string {
	return "Starts the JupyterLab or Jupyter Notebook that the image has, in the container of wr shell and wr exec, and prints how to reach it. It serves this machine alone, whatever network the project has, on a port that stays the same for the project. It runs until wr stop PROJECT, and is found again by running this again. What it prints goes to a log, which it names."
}

// Prepare finds out where the notebook runs.
func (c *notebookCmd) Prepare(ctx context.Context, a *app) (deed, error) {
	return a.enter(ctx, entry{
		project: c.Project, args: []string{"/bin/sh", startNotebook}, shell: true, detached: true, useLast: c.UseLast,
		run: func(ctx context.Context, engine Engine, e entered) error { return a.notebook(ctx, engine, e) },
	})
}

const (
	notebookFolder = "notebook" // of a project's private folders; containers do not have it
	notebookLog    = "jupyter.log"
	// notebookTime is how long a notebook may take until it answers.
	notebookTime = 90 * time.Second
)

// exitNotFound is what the start script ends with when there is no Jupyter.
const exitNotFound = 127

// errEnded is a notebook that ended before it answered.
var errEnded = errors.New("the notebook has ended")

// notebook finds the notebook of e's project, or starts it, and says where it is.
func (a *app) notebook(ctx context.Context, engine Engine, e entered) error {
	own, err := a.private(e.Container, notebookFolder)
	if err != nil {
		return err
	}
	defer own.Close()
	unlock, err := own.Lock() // or two at once would start two
	if err != nil {
		return notKept(a.privatePath(e.Container, notebookFolder), err)
	}
	defer unlock()
	running, err := a.runningNotebook(ctx, e.Container)
	if err != nil {
		return err
	}
	site, known := readSite(own)
	site.Log = filepath.Join(a.privatePath(e.Container, notebookFolder), notebookLog)
	switch {
	case running == 0:
		err = a.startNotebook(ctx, engine, e, own, &site)
	case !known || site.Port != running:
		err = &fault.Error{
			Code: "notebook.lost", Message: fmt.Sprintf("a notebook runs on port %d, and its token is not in %s any more", running, a.privatePath(e.Container, notebookFolder)),
			Next: "wr stop " + e.Container.Labels["wr.project"] + ", and start it again",
		}
	default:
		site.Found = true
		err = site.await(ctx, nil)
	}
	if err != nil {
		return err
	}
	return a.showNotebook(e.Container, site)
}

// runningNotebook is the port of the notebook that runs for c's project, or 0.
// Why the engine is asked and not the port: anybody may listen there, and would
// be told the token.
func (a *app) runningNotebook(ctx context.Context, c spec.Container) (port int, err error) {
	_, all, err := a.containers(ctx, false)
	if err != nil {
		return 0, err
	}
	mine := func(one daemon.Container) bool { return one.Project == c.Labels["wr.project"] }
	for _, one := range slices.DeleteFunc(all, func(one daemon.Container) bool { return !mine(one) }) {
		for _, command := range one.Commands {
			if _, port, ok := strings.Cut(command, startNotebook+" "); ok {
				return strconv.Atoi(port)
			}
		}
	}
	return 0, nil
}

// startNotebook starts it on the site, which it fills, and returns once it answers.
func (a *app) startNotebook(ctx context.Context, engine Engine, e entered, own state.Folder, site *site) error {
	if err := a.ready(ctx, engine, e); err != nil {
		return err
	}
	if err := site.choose(ctx, e.Container); err != nil {
		return err
	}
	log, err := newLog(own)
	if err != nil {
		return notKept(a.privatePath(e.Container, notebookFolder), err)
	}
	defer log.Close()
	if err := site.write(own); err != nil {
		return notKept(a.privatePath(e.Container, notebookFolder), err)
	}
	e.Process.Args = append(slices.Clone(e.Process.Args), strconv.Itoa(site.Port))
	e.Process.Env = append(slices.Clone(e.Process.Env), "JUPYTER_TOKEN="+site.Token)
	if e.Container.Network != spec.NetworkHost { // there it has this machine's loopback
		e.Process.Ports = []spec.Port{{Address: fmt.Sprintf("127.0.0.1:%d", site.Port), Container: site.Port}}
	}
	return site.runs(ctx, func(ctx context.Context) error {
		exit, err := engine.Run(ctx, e.Container, e.Process, spec.Stdio{Out: log, Err: log})
		if err == nil {
			err = notebookEnded(e.Container, exit, log)
		}
		return err
	})
}

// runs has run start the notebook, which leaves it when it answers and ends it
// when nobody waits for that any more.
func (s *site) runs(ctx context.Context, run func(context.Context) error) error {
	running, end := context.WithCancelCause(context.WithoutCancel(ctx))
	ended, ran := make(chan struct{}), error(nil)
	go func() {
		defer close(ended)
		ran = run(running)
	}()
	err := s.await(ctx, ended)
	if err == nil || fault.HasCode(err, notebookSlow) {
		end(spec.ErrLeft)
	} else {
		end(err)
	}
	<-ended
	if errors.Is(err, errEnded) || err == nil && !errors.Is(ran, spec.ErrLeft) {
		return ran
	}
	return err
}

// newLog makes the log anew.
func newLog(own state.Folder) (log *os.File, err error) {
	err = own.Replace(notebookLog, func(*os.File) error { return nil })
	if err != nil {
		return nil, err
	}
	return own.OpenFile(notebookLog, os.O_RDWR|os.O_APPEND, 0)
}

// maxNotebookLog bounds what is shown of the log, in bytes.
const maxNotebookLog = 4 << 10

// notebookEnded is a notebook that ended before it answered.
func notebookEnded(c spec.Container, exit spec.Exit, log *os.File) error {
	project := c.Labels["wr.project"]
	if exit.Code == exitNotFound {
		return &fault.Error{
			Code: "notebook.missing", Message: "the image of " + project + " has no Jupyter",
			Next: "install jupyterlab or notebook in its Dockerfile",
		}
	}
	said := ""
	if info, err := log.Stat(); err == nil {
		text, _ := io.ReadAll(io.NewSectionReader(log, max(0, info.Size()-maxNotebookLog), maxNotebookLog))
		said = strings.TrimSpace(strings.ToValidUTF8(string(text), "\uFFFD"))
	}
	return &fault.Error{
		Code: "notebook.ended", Message: fmt.Sprintf("the notebook of %s ended with %d before it answered", project, exit.Code),
		Next: "see what it said", Details: said,
	}
}

// notebookSlow is a notebook that does not answer and was left all the same.
const notebookSlow = "notebook.slow"

// await waits until the notebook answers, or ended says that it never will.
func (s *site) await(ctx context.Context, ended <-chan struct{}) error {
	limit, cancel := context.WithTimeout(ctx, notebookTime)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !s.answers(limit) {
		select {
		case <-ended:
			return errEnded
		case <-limit.Done():
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return &fault.Error{
				Code: notebookSlow, Message: fmt.Sprintf("the notebook does not answer on port %d after %v; it runs on", s.Port, notebookTime),
				Next: "see " + s.Log + ", or wr stop it",
			}
		case <-tick.C:
		}
	}
	return nil
}

// answers tells whether the notebook is there.
func (s *site) answers(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	ask, err := http.NewRequestWithContext(ctx, http.MethodGet, s.address()+"api/status", http.NoBody)
	if err != nil {
		return false
	}
	ask.Header.Set("Authorization", "token "+s.Token)
	// Why a transport of its own: the default one would ask the proxy.
	transport := &http.Transport{DisableKeepAlives: true}
	answer, err := transport.RoundTrip(ask)
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// showNotebook says how the notebook is reached.
func (a *app) showNotebook(c spec.Container, s site) error {
	host, _ := os.Hostname()
	who := cmp.Or(a.Getenv("SUDO_USER"), a.Getenv("USER"), "USER")
	project := c.Labels["wr.project"]
	shown := struct {
		Project string `json:"project"`
		Found   bool   `json:"found"` // it ran already
		Port    int    `json:"port"`
		URL     string `json:"url"`
		SSH     string `json:"ssh"`
		Log     string `json:"log"`
	}{
		project, s.Found, s.Port, s.address() + "?token=" + s.Token,
		fmt.Sprintf("ssh -L %d:127.0.0.1:%d %s@%s", s.Port, s.Port, who, cmp.Or(host, "HOST")),
		s.Log,
	}
	if a.JSON {
		return a.printJSON(shown)
	}
	_, err := fmt.Fprintf(a.Out, "%s\nfrom elsewhere, first: %s\n", shown.URL, shown.SSH)
	if !a.Quiet {
		fmt.Fprintf(a.Out, "it runs until: wr stop %s\nlog: %s\n", project, shown.Log)
	}
	return err
}
