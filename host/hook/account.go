package hook

import (
	"github.com/wr-build/wr/host/plugin/account"
	"github.com/wr-build/wr/host/plugin/sandbox"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// Account is a Watch that writes what a plugin does into a book.
func Account(book *account.Book, plugin string) Watch {
	return Watch{
		Asked:   func(a *Asked) { book.Enter(plugin, a.enter) },
		Started: func(s Started) { book.Enter(plugin, s.enter) },
		Peak: func(bytes int64) {
			book.Enter(plugin, func(u *account.Use) { u.Process = max(u.Process, bytes) })
		},
	}
}

func (a *Asked) enter(u *account.Use) {
	if a.Kept {
		u.Kept++
		return
	}
	u.Calls++
	if a.Err != nil {
		u.Failed++
	}
	if fault.HasCode(a.Err, sandbox.CodeCrashed) || fault.HasCode(a.Err, sandbox.CodeMemory) {
		u.Crashes++
	}
	if fault.HasCode(a.Err, sandbox.CodeTimeout) {
		u.TimedOut++
	}
	u.Again += int64(max(0, a.Attempts-1))
	if a.Attempts > 0 {
		u.Times.Add(a.Time)
	}
	u.Memory = max(u.Memory, a.Memory)
	u.Files += int64(a.Files)
	u.Read += a.Read
	for name, f := range a.Calls {
		u.Call(name, f)
	}
}

func (s Started) enter(u *account.Use) {
	u.Starts++
	u.Start += s.Time
	u.Compile += s.Compile
}
