package plan

import (
	"cmp"
	"strings"

	"github.com/wr-build/wr/host/config"
	"github.com/wr-build/wr/host/workspace"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// Refs is what the local names of a workspace's images begin with.
func Refs(ws *workspace.Workspace) string { return spec.LocalHost + "/" + ws.Slug() + "/" }

// Remote is where a registry may have the image of s: REGISTRY/PROJECT:in-KEY,
// or the finished image itself; "" = nowhere. The tag "in-" says that what
// follows is the key of inputs, and that it is never written again.
func Remote(ws *workspace.Workspace, s Selected) string {
	switch {
	case s.Ref != "":
		return s.Ref
	case ws.Config.Workspace == nil || ws.Config.Workspace.Registry == "":
		return ""
	default:
		return ws.Config.Workspace.Registry + "/" + s.maker().Slug() + ":in-" + s.shortKey()
	}
}

// RemoteBase is where a registry may have the base that the workspace declares
// under name, without tag or digest; "" = nowhere.
func RemoteBase(ws *workspace.Workspace, name string) string {
	if ws.Config.Workspace == nil || ws.Config.Workspace.Registry == "" {
		return ""
	}
	return ws.Config.Workspace.Registry + "/" + strings.ReplaceAll(name, ":", "--")
}

// useLast is what else there is to do about a missing image: nothing, for who
// does it already.
func useLast(o Options) string {
	if o.UseLast {
		return ""
	}
	return "; --use-last runs the newest image that is here"
}

// maker is the project whose image s uses.
func (s Selected) maker() workspace.Project {
	if s.Maker.Path == "" {
		return s.Project
	}
	return s.Maker
}

// shortKey is as much of the key as names need.
func (s Selected) shortKey() string { return s.ImageKey[:min(32, len(s.ImageKey))] }

// denied says why the image of s cannot be made; nil when it can.
func denied(ws *workspace.Workspace, s Selected, o Options) *fault.Error {
	project, remote := s.maker().Path, Remote(ws, s)
	if s.Ref != "" {
		return &fault.Error{
			Code: "image.ref_missing", Message: s.Ref + " is neither in the local store nor in its registry",
			File: config.Name, Next: "mend [image] ref of " + project,
		}
	}
	if !o.NoBuild {
		return nil
	}
	policy := ws.Config.Policy
	publish := "wr build " + project
	if remote != "" {
		publish += " && wr image push " + project
	}
	return &fault.Error{
		Code:    "image.build_denied",
		Message: "the image of " + project + " for its present inputs is missing, and [policy] does not let you build it",
		File:    config.Name, Line: ws.Config.Line("policy.build"),
		Next:    "ask " + cmp.Or(policy.Owner, "a builder of [policy]") + " for `" + publish + "`" + useLast(o),
		Details: "missing: " + cmp.Or(remote, Ref(ws, s)),
	}
}
