package config

import (
	"cmp"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/docker/go-units"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// Limits is the table [limits]. Zero values are no limits.
type Limits struct {
	CPUs    float64  `toml:"cpus" doc:"Processors that all processes of a container may use together, such as 1.5. Default: all."`
	Memory  Size     `toml:"memory" doc:"Memory of a container, such as 512MB or 2GiB. Whatever needs more is killed, and reported as that. Default: the machine's."`
	Pids    int64    `toml:"pids" doc:"Processes and threads of a container. Default: 4096."`
	Timeout Duration `toml:"timeout" doc:"How long a command of wr exec or the tests of the project may take, such as 90s or 10m. wr shell takes its own --timeout only. Default: as long as they want."`
}

// The least that a container can start with: its agent and the OCI runtime need
// memory and threads too. The kernel takes no smaller share of a processor, and
// knows no more processors.
const (
	MinCPUs   = 0.01
	MaxCPUs   = 8192
	MinMemory = 16 << 20
	MinPids   = 32
)

// Check names the limits that make no sense, by their keys.
func (l Limits) Check() []LimitError {
	var wrong []LimitError
	refuse := func(key, format string, args ...any) {
		wrong = append(wrong, LimitError{key, fmt.Sprintf(format, args...)})
	}
	if l.CPUs != 0 && !(l.CPUs >= MinCPUs && l.CPUs <= MaxCPUs) { // also no number at all
		refuse("cpus", "%v is not between %v and %v", l.CPUs, MinCPUs, MaxCPUs)
	}
	if l.Memory < 0 || l.Memory > 0 && l.Memory < MinMemory {
		refuse("memory", "%v is less than %v", l.Memory, Size(MinMemory))
	}
	if l.Pids < 0 || l.Pids > 0 && l.Pids < MinPids {
		refuse("pids", "%d is less than %d, which a container needs to start", l.Pids, MinPids)
	}
	if l.Timeout < 0 {
		refuse("timeout", "%v is less than nothing", time.Duration(l.Timeout))
	}
	return wrong
}

// Over returns l, and what under says where l says nothing.
func (l Limits) Over(under Limits) Limits {
	return Limits{
		CPUs: cmp.Or(l.CPUs, under.CPUs), Memory: cmp.Or(l.Memory, under.Memory),
		Pids: cmp.Or(l.Pids, under.Pids), Timeout: cmp.Or(l.Timeout, under.Timeout),
	}
}

// LimitError is one limit that makes no sense.
type LimitError struct {
	Key     string // of the table [limits], and of the flag
	Problem string
}

// Fault is the mistake of somebody who typed the limit as a flag.
func (e LimitError) Fault() *fault.Error {
	return &fault.Error{Code: "limit.bad_value", Class: fault.Usage, Message: "--" + e.Key + ": " + e.Problem}
}

// Size is a number of bytes, written as 512MB (of a million bytes each) or 2GiB
// (of 1024 MiB each).
type Size int64

func (*Size) forms() []reflect.Type { return []reflect.Type{textForm} }

func (s *Size) read(form any) error { return s.UnmarshalText([]byte(form.(string))) }

func (s *Size) plain() any { return s.String() }

// UnmarshalText reads the written form, of a flag as well.
func (s *Size) UnmarshalText(text []byte) error {
	parse := units.FromHumanSize
	if strings.ContainsAny(string(text), "iI") {
		parse = units.RAMInBytes
	}
	n, err := parse(string(text))
	if err != nil {
		return fmt.Errorf("%q is not a size such as 512MB or 2GiB", text)
	}
	*s = Size(n)
	return nil
}

// String is the written form.
func (s Size) String() string {
	if s%(1<<20) == 0 {
		return units.BytesSize(float64(s))
	}
	return units.HumanSize(float64(s))
}

// Duration is a time span, written as 90s or 10m.
type Duration time.Duration

func (*Duration) forms() []reflect.Type { return []reflect.Type{textForm} }

func (d *Duration) read(form any) error { return d.UnmarshalText([]byte(form.(string))) }

func (d *Duration) plain() any { return time.Duration(*d).String() }

// UnmarshalText reads the written form, of a flag as well.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is not a time such as 90s or 10m", text)
	}
	*d = Duration(parsed)
	return nil
}

// checkLimits notes the limits that make no sense. One of nothing would not
// count, while whoever wrote it means that there is none: but says of its key
// what it would do, and what to write instead.
func (d *decoder) checkLimits(table string, l Limits, but string) {
	for _, limit := range []struct {
		key  string
		none bool
	}{{"cpus", l.CPUs == 0}, {"memory", l.Memory == 0}, {"pids", l.Pids == 0}, {"timeout", l.Timeout == 0}} {
		if at := join(table, limit.key); limit.none && d.given(at) {
			d.refuse(at, "is nothing, "+but, limit.key)
		}
	}
	for _, wrong := range l.Check() {
		d.refuse(join(table, wrong.Key), "%s", wrong.Problem)
	}
}
