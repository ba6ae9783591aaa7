package cli

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/plan"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// grant finds what the [rights] of p come to here. A right that a policy
// refuses, or a mount of what does not exist, is a fault.
func (a *app) grant(ws *workspace.Workspace, p workspace.Project) (plan.Grant, *fault.Error) {
	r := p.Config.Rights
	for _, policy := range ws.Policies() {
		if kind := policy.Config.Refused(r); kind != "" {
			return plan.Grant{}, refusedRight(policy, p, kind)
		}
	}
	g := plan.Grant{Rights: spec.Rights{Privileged: r.Privileged}}
	for _, name := range r.Capabilities {
		g.Rights.Capabilities = append(g.Rights.Capabilities, "CAP_"+strings.TrimPrefix(name, "CAP_"))
	}
	for _, d := range r.Devices {
		g.Rights.Devices = append(g.Rights.Devices, spec.Device(d))
	}
	for _, target := range slices.Sorted(maps.Keys(r.Mounts)) {
		m := r.Mounts[target]
		mount, there := a.mountOf(m.Source, target)
		mount.ReadOnly = !m.Write
		if there {
			g.Mounts = append(g.Mounts, mount)
		} else if !m.Optional {
			return plan.Grant{}, noSource(p, target, m)
		}
	}
	for _, name := range r.Credentials {
		found := a.credentials(name)
		if len(found) == 0 {
			g.Absent = append(g.Absent, name)
		}
		g.Own = append(g.Own, found...)
	}
	return g, nil
}

// credentials mounts those of the caller's files that hold credentials of that
// name.
func (a *app) credentials(name string) []spec.Mount {
	var all []spec.Mount
	for _, file := range config.CredentialFiles(name) {
		mount, there := a.mountOf("~/"+file, "~/"+file)
		mount.ReadOnly = true
		if there {
			all = append(all, mount)
		}
	}
	return all
}

// mountOf mounts source, a host path in which ~ is the caller's home directory,
// on target; false: it does not exist. The engine follows no symbolic links, so
// they are followed here.
func (a *app) mountOf(source, target string) (m spec.Mount, there bool) {
	if rest, ok := strings.CutPrefix(source, "~"); ok {
		source = filepath.Join(a.home(), rest)
	}
	real, err := filepath.EvalSymlinks(source)
	return spec.Mount{Source: real, Target: target, Owned: true}, err == nil
}

func refusedRight(policy workspace.Policy, p workspace.Project, kind string) *fault.Error {
	return &fault.Error{
		Code: "policy.rights", Class: fault.Usage, File: p.ConfigFile(), Line: p.Config.Line(config.Key("rights", kind)),
		Message: fmt.Sprintf("%s asks for %s, which the policy of this workspace gives to no project", p.Path, kind),
		Next:    fmt.Sprintf("take it out, or add it to [policy] rights at %s:%d", policy.File, policy.Config.Line("policy.rights")),
	}
}

func noSource(p workspace.Project, target string, m config.RightMount) *fault.Error {
	return &fault.Error{
		Code: "rights.no_source", File: p.ConfigFile(), Line: p.Config.Line(config.Key("rights", "mounts", target)),
		Message: fmt.Sprintf("%s does not exist, and %s wants it at %s", m.Source, p.Path, target),
		Next:    "make it, or write optional = true there",
	}
}

// grantAll grants each of selected its rights for tests.
func (a *app) grantAll(ws *workspace.Workspace, selected []plan.Selected) {
	for i, s := range selected {
		selected[i].Grant, selected[i].Refused = a.grant(ws, s.Project)
	}
}

// sayRights says on stderr what containers of p may do besides the usual, so
// that nobody runs such a one without knowing. What runs now goes without the
// rights of the kinds in without.
func (a *app) sayRights(p workspace.Project, without ...string) {
	var words []string
	for _, r := range p.Config.Rights.List() {
		if !slices.Contains(without, r.Kind) {
			words = append(words, r.String())
		}
	}
	if len(words) == 0 || a.Quiet {
		return
	}
	why := ""
	if reason := p.Config.Rights.Reason; reason != "" {
		why = " (" + reason + ")"
	}
	fmt.Fprintf(a.Err, "%s has rights: %s%s\n", p.Path, strings.Join(words, "; "), why)
}

// sayAbsent says which credentials p asks for that the caller does not have.
func (a *app) sayAbsent(p workspace.Project, names []string) {
	for _, name := range names {
		files := "~/" + strings.Join(config.CredentialFiles(name), ", ~/")
		fmt.Fprint(a.Err, a.style(a.Err).Warning(&fault.Error{
			Code: "rights.no_credentials", File: p.ConfigFile(), Line: p.Config.Line("rights.credentials"),
			Message: fmt.Sprintf("%s asks for your credentials for %s, and there is no %s; the command goes without", p.Path, name, files),
			Next:    "sign in with " + name + " on this machine, or take it out",
		}))
	}
}

// sayTestRights says the same of the tests of s, which have nothing of a
// person's, and why they do not share a container with later ones. Nothing is
// said of tests that are refused.
func (a *app) sayTestRights(s plan.Selected) {
	if cmp.Or(s.Untestable, s.Refused) != nil {
		return
	}
	a.sayRights(s.Project, config.SSHAgent, config.Credentials)
	if !s.Grant.Rights.None() && !a.Quiet {
		fmt.Fprintf(a.Err, "%s: its tests run in fresh containers, since kept ones take such rights away\n", s.Path)
	}
}
