package testrun

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// bad is the verdict of a unit that was tested, with a fault beyond its cases.
func bad(code string, end ending, format string, args ...any) Verdict {
	return Verdict{Status: event.Bad, Fault: &fault.Error{
		Code: code, Class: fault.Failed, Message: fmt.Sprintf(format, args...), Details: end.log,
	}}
}

// noSpace is the fault of a unit whose facts had no place on the disk.
func noSpace(end ending) *fault.Error {
	f := *end.full
	f.Message, f.Details = "the record of this test run ends early: "+f.Message, end.log
	return &f
}

func (s *session) streamDamaged(end ending) *fault.Error {
	return &fault.Error{
		Code: "test.stream_damaged", Message: "the record of this test run " + s.damaged, Details: end.log,
		Next: "look for a test that writes below /.wr, and run again",
	}
}

// died is the fault of a session without an end. A case that was running then
// says it all; without one nobody else would.
func (s *session) died(end ending) *fault.Error {
	if len(s.fallen) > 0 {
		return nil
	}
	return &fault.Error{
		Code: "test.process_died", Class: fault.Failed, Details: end.log,
		Message: "pytest died between tests: " + howItEnded(end.exit),
	}
}

func (s *session) internalError(end ending) Verdict {
	v := bad("test.internal_error", end, "pytest itself failed")
	if s.internal != nil {
		v.Fault.Message += ": " + s.internal.Text
		v.Fault.Details = s.internal.Details
	}
	return v
}

// What a missing pytest says, a broken conftest, a path that is not there, and
// arguments that pytest does not know.
var (
	noPytest   = expression(`(?m)No module named '?pytest'?\s*$`)
	noConftest = expression(`(?m)^ImportError while loading conftest .*$`)
	noPath     = expression(`(?m)wr: (\[test\] paths names .+)$`)
	usageError = expression(`(?m)^(?:[\w./-]+: )?(?:ERROR|error): +(.+)$`)
)

// expression is a regular expression that is compiled when it is first needed:
// most runs never fail like this.
func expression(pattern string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })
}

// noSession is the fault of a process that never came as far as a session.
func noSession(end ending) *fault.Error {
	code := end.exit.Code
	missing := fault.HasCode(end.err, "exec.not_found") || fault.HasCode(end.err, "exec.not_executable")
	switch {
	case missing, end.err == nil && (code == 126 || code == 127), code == 1 && noPytest().MatchString(end.log):
		return &fault.Error{
			Code: "test.pytest_missing", Message: "pytest is not in the image", Details: end.log, Err: end.err,
			Next: "add pytest to devops/Dockerfile, or set [test] command in wr.toml",
		}
	case end.err != nil:
		return fault.Of(end.err)
	case code == exitUsage && strings.Contains(end.log, "wr: cannot write"):
		return &fault.Error{Code: "test.no_session", Message: "pytest cannot write down what it does", Details: end.log}
	case code == exitUsage:
		return usageFault(end)
	default:
		return &fault.Error{
			Code: "test.no_session", Details: end.log,
			Message: "pytest never began: " + howItEnded(end.exit),
			Next:    "[test] command must start pytest and pass on further arguments",
		}
	}
}

// usageFault is the fault of a pytest that refused what it was asked, or could
// not load what it was to begin with.
func usageFault(end ending) *fault.Error {
	if line := noConftest().FindString(end.log); line != "" {
		return &fault.Error{
			Code: "test.conftest_failed", Class: fault.Failed, Details: end.log,
			Message: "a conftest.py cannot be imported: " + strings.TrimSuffix(line, "."),
		}
	}
	if found := noPath().FindStringSubmatch(end.log); found != nil {
		return &fault.Error{
			Code: "test.no_path", Class: fault.Usage, Message: found[1],
			Next: "write it, or mend [test] paths in wr.toml",
		}
	}
	f := &fault.Error{
		Code: "test.usage", Class: fault.Usage, Message: "pytest refused its arguments", Details: end.log,
		Next: "check what follows -- on the command line, and [test] in wr.toml",
	}
	if found := usageError().FindStringSubmatch(end.log); found != nil {
		f.Message += ": " + found[1]
	}
	return f
}

// howItEnded is "exit code 3" or "signal 9 (SIGKILL)".
func howItEnded(exit spec.Exit) string {
	if exit.Signal == 0 {
		return fmt.Sprintf("exit code %d", exit.Code)
	}
	text := fmt.Sprintf("signal %d", exit.Signal)
	if name := unix.SignalName(syscall.Signal(exit.Signal)); name != "" {
		text += " (" + name + ")"
	}
	if exit.OOMKilled {
		text += ": out of memory"
	}
	return text
}
