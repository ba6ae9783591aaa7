package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"

	"github.com/wr-build/wr/host/mark"
)

// AllSuites is the name that stands for every suite on the command line.
const AllSuites = "all"

// Suite is one table [suites.NAME].
type Suite struct {
	Marks   Marks             `toml:"marks" doc:"Which cases are in it, as an expression of marks such as \"slow and not gpu\". Default: those with the mark of its name; of fast, those that are in no other suite. A case that is in several runs in the one that the file has first."`
	Timeout Duration          `toml:"timeout" doc:"How long one case may take with its fixtures, such as 5s. Then its stacks are kept, its process is ended, and the other cases go on in a new one. Default: as long as it wants."`
	Reruns  Reruns            `toml:"reruns" doc:"How often a case that fails runs again, each time in a process of its own. One that passes then is flaky. Default: never."`
	Workers Workers           `toml:"workers" doc:"In how many processes the cases of a container run at once, by pytest-xdist, which the image must have. With auto as many as pay. Default: one."`
	Shards  int64             `toml:"shards" doc:"Into how many containers at most the cases of a project are parted by files, if earlier runs say that it pays. Default: one."`
	Env     map[string]string `toml:"env" doc:"Variables of these tests, over those of [env]."`
	Limits  Limits            `toml:"limits" doc:"What the containers of these tests may use, over [limits]; the timeout is that of all of them together."`
}

// Reruns says how often a case runs again, by how it failed.
type Reruns struct {
	Any     int64 `toml:"any" doc:"Whatever it was."`
	Timeout int64 `toml:"timeout" doc:"It took too long. Default: as any."`
	Error   int64 `toml:"error" doc:"A fixture failed, or its process died. Default: as any."`
}

// Marks is an expression of marks.
type Marks struct{ mark.Expr }

func (*Marks) forms() []reflect.Type { return []reflect.Type{textForm} }

func (m *Marks) read(form any) (err error) {
	m.Expr, err = mark.Parse(form.(string))
	return err
}

func (m *Marks) plain() any { return m.String() }

// Workers is a number of processes. The zero value is one.
type Workers struct {
	Count int64
	Auto  bool // as many as pay
}

func (*Workers) forms() []reflect.Type { return []reflect.Type{wholeForm, textForm} }

func (w *Workers) read(form any) error {
	w.Count, _ = form.(int64)
	text, isText := form.(string)
	w.Auto = text == "auto"
	if isText && !w.Auto || !isText && w.Count < 1 {
		return fmt.Errorf("%v is neither a number of processes nor auto", form)
	}
	return nil
}

func (w *Workers) plain() any {
	if w.Auto {
		return "auto"
	}
	return w.Count
}

// String is the written form.
func (w Workers) String() string {
	if w.Auto {
		return "auto"
	}
	return strconv.FormatInt(max(1, w.Count), 10)
}

// checkSuites checks every suite by itself.
func (d *decoder) checkSuites(suites map[string]Suite) {
	for _, name := range slices.Sorted(maps.Keys(suites)) {
		at, s := join("suites", name), suites[name]
		if !nameShape().MatchString(name) {
			d.refuse(at, "%q is not letters, digits and . _ -", name)
		}
		if name == AllSuites {
			d.refuse(at, "the name stands for every suite; choose another")
		}
		if timeout := join(at, "timeout"); d.given(timeout) && s.Timeout <= 0 {
			d.refuse(timeout, "is nothing; leave timeout out for as long as they want")
		}
		if shards := join(at, "shards"); d.given(shards) && s.Shards < 1 {
			d.refuse(shards, "%d is no number of containers", s.Shards)
		}
		for key, n := range map[string]int64{"any": s.Reruns.Any, "timeout": s.Reruns.Timeout, "error": s.Reruns.Error} {
			if key := join(join(at, "reruns"), key); n < 0 {
				d.refuse(key, "%d is less than nothing", n)
			}
		}
		d.checkVariables(join(at, "env"), s.Env)
		d.checkLimits(join(at, "limits"), s.Limits, "which sets no limit; leave %s out for that of [limits]")
	}
}
