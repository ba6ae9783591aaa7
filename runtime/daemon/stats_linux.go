package daemon

import "context"

// usage measures the containers that describe lists.
func (s *server) usage(ctx context.Context) ([]Usage, error) {
	all, err := s.describe(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Usage, len(all))
	for i, c := range all {
		out[i] = Usage{Container: c, Usage: s.containers.Usage(c.ID), At: s.cfg.Now()}
	}
	return out, nil
}
