package plan

import (
	"github.com/wr-build/wr/host/config"
)

// Limits replace those of all configuration. A nil one leaves it as
// it is, and zero takes it away.
type Limits struct {
	CPUs    *float64
	Memory  *config.Size
	Pids    *int64
	Timeout *config.Duration
}

// Over returns what becomes of the limits of a project.
func (l Limits) Over(out config.Limits) config.Limits {
	replace(&out.CPUs, l.CPUs)
	replace(&out.Memory, l.Memory)
	replace(&out.Pids, l.Pids)
	replace(&out.Timeout, l.Timeout)
	return out
}

func replace[T any](value, by *T) {
	if by != nil {
		*value = *by
	}
}
