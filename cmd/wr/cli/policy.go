package cli

import (
	"os/user"
	"strconv"

	"github.com/wr-build/wr/host/workspace"
)

// mayBuild reports whether the policy of ws lets the caller build images. A
// caller without a name is known by number.
func (a *app) mayBuild(ws *workspace.Workspace) bool {
	policy := ws.Config.Policy
	if policy.MayBuild(nil) {
		return true // nobody has to be looked up
	}
	caller, err := a.caller(ws)
	if err != nil {
		return false
	}
	return policy.MayBuild(namesOf(strconv.Itoa(caller.UID)))
}

// namesOf are the names of a user, and of their groups after an @.
func namesOf(uid string) []string {
	found, err := user.LookupId(uid)
	if err != nil {
		return []string{uid}
	}
	names := []string{found.Username}
	groups, err := found.GroupIds()
	if err != nil {
		return names
	}
	for _, gid := range groups {
		if group, err := user.LookupGroupId(gid); err == nil {
			names = append(names, "@"+group.Name)
		}
	}
	return names
}
