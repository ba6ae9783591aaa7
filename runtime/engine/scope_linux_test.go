package engine

import "testing"

func TestAScopeStaysInTheSliceOfWhoStartedIt(t *testing.T) {
	for group, want := range map[string]string{
		"/user.slice/user-1000.slice/session-3.scope":                                  "user-1000.slice",
		"/user.slice/user-1000.slice/user@1000.service/app.slice/app-terminal-7.scope": "user-1000.slice",
		"/system.slice/cron.service":                                                   "system.slice",
		"/machine.slice":                                                               "machine.slice",
		"/init.scope":                                                                  "system.slice",
		"/":                                                                            "system.slice",
	} {
		if got := sliceOf(group); got != want {
			t.Errorf("%s: got %s, want %s", group, got, want)
		}
	}
}
