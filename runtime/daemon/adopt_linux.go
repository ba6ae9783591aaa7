package daemon

import (
	"context"
	"encoding/json"

	"github.com/containerd/log"

	"github.com/wr-build/wr/runtime/agent"
	"github.com/wr-build/wr/runtime/container"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/wire"
)

// note is what an engine leaves with a container for the one after it.
type note struct {
	Role      spec.Role           `json:"role"`
	Key       string              `json:"key"`
	Place     string              `json:"place"`
	Container container.Container `json:"container"`
	Env       [][]byte            `json:"env,omitempty"`
	Held      []held              `json:"held,omitempty"`
}

// leaveNote keeps what the next engine must know of w.
func (s *server) leaveNote(w *warm) error {
	text, err := json.Marshal(note{Role: w.role, Key: w.key, Place: w.place, Container: *w.Container, Env: w.env, Held: w.held})
	if err != nil {
		return err
	}
	return s.containers.Note(w.ID, text)
}

// adopt takes over containers that outlived an earlier engine: those that are
// kept go to the pool, the others to the keeper.
func (s *server) adopt(ctx context.Context, survivors []container.Container) {
	for _, c := range survivors {
		s.containers.Adopt(&c)
		if c.Labels[container.LabelRole] == "" {
			s.keeper.add(c)
			continue
		}
		w, err := s.recall(c)
		if err != nil {
			log.G(ctx).WithError(err).WithField("container", c.ID).Warn("an earlier engine left no note with a container; it is removed")
			s.keeper.add(container.Container{ID: c.ID})
			continue
		}
		s.pool.mu.Lock()
		s.pool.warm[w.ID] = w
		s.pool.mu.Unlock()
		s.clients.Go(func() { s.awaitFormerUsers(ctx, w) })
		s.holdAgain(ctx, w)
	}
}

// recall makes a container of the pool of a survivor. It is in use until its
// agent says otherwise.
func (s *server) recall(c container.Container) (*warm, error) {
	text, err := s.containers.Noted(c.ID)
	if err != nil {
		return nil, err
	}
	var n note
	if err := json.Unmarshal(text, &n); err != nil {
		return nil, err
	}
	n.Container.PID = c.PID
	return &warm{
		prepared: prepared{Container: &n.Container, env: n.Env},
		role:     n.Role, key: n.Key, place: n.Place, held: n.Held, users: 1,
	}, nil
}

// awaitFormerUsers waits for the commands that clients of an earlier engine, or
// such that have left, run, or for the end of this engine, which is not idle as
// long as they do.
func (s *server) awaitFormerUsers(ctx context.Context, w *warm) {
	defer s.activity.begin()()
	if _, err := s.ask(ctx, w.Container, agent.Query{Idle: true}); err != nil {
		s.pool.drop(w)
		return
	}
	s.pool.give(w)
}

// ask asks the agent of a container what runs.
func (s *server) ask(ctx context.Context, c *container.Container, q agent.Query) (agent.Running, error) {
	f, err := s.containers.Connect(ctx, c)
	if err != nil {
		return agent.Running{}, err
	}
	conn, err := wire.FromFile(f)
	if err != nil {
		return agent.Running{}, err
	}
	return agent.Ask(ctx, conn, q)
}
