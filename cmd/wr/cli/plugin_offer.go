package cli

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/docker/go-units"

	"github.com/wr-build/wr/host/plugin/capability"
	"github.com/wr-build/wr/host/plugin/fetch"
	"github.com/wr-build/wr/host/plugin/grant"
	"github.com/wr-build/wr/host/ui"
	"github.com/wr-build/wr/sdk/go/abi"
)

// offer is a plugin that is shown before something is granted to it.
type offer struct {
	abi.Manifest
	Source   string  `json:"source"`
	Digest   string  `json:"digest"`
	Size     int     `json:"size"`   // bytes
	Memory   int     `json:"memory"` // bytes that it starts with
	Sidecar  bool    `json:"sidecar,omitempty"`
	Requests []asked `json:"requests"`
}

// asked is a capability in a list for people.
type asked struct {
	Capability string `json:"capability"`
	Words      string `json:"words"`
	Reason     string `json:"reason"`
	Granted    bool   `json:"granted"`
	Refused    string `json:"refused,omitempty"` // by the policy at FILE:LINE
}

// offerOf is what there is to say of a plugin, of which some is granted already.
func offerOf(b fetch.Bundle, granted capability.Set, ceiling grant.Ceiling) offer {
	digest, _ := b.Digests()
	o := offer{
		Manifest: b.Manifest.Manifest, Source: b.Source, Digest: digest, Size: b.Summary.Size, Memory: b.Summary.Memory, Sidecar: b.Sidecar,
		Requests: askedFor(b.Manifest.Capabilities, granted, ceiling),
	}
	o.Capabilities = nil // they are among the requests
	return o
}

// askedFor lists requests.
func askedFor(requests []abi.Request, granted capability.Set, ceiling grant.Ceiling) []asked {
	all := make([]asked, len(requests))
	for i, r := range requests {
		_, has := granted.Covering(r.Capability)
		all[i] = asked{Capability: r.String(), Words: capability.Words(r.Capability), Reason: r.Reason, Granted: has}
		if policy, refused := ceiling.Refuses(r.Capability); refused {
			all[i].Granted, all[i].Refused = false, grant.Place(policy)
		}
	}
	return all
}

// print writes the offer for people.
func (o offer) print(w io.Writer) error {
	fmt.Fprintf(w, "%s %s\n", o.Name, o.Version)
	for _, line := range [][2]string{
		{"", o.Description},
		{"source", o.Source},
		{"digest", o.Digest + ", unsigned"},
		{"size", units.BytesSize(float64(o.Size)) + ", memory from " + units.BytesSize(float64(o.Memory))},
		{"kind", strings.TrimSuffix(string(o.Kind)+", "+o.License, ", ")},
		{"homepage", o.Homepage},
		{"provides", strings.Join(provided(o.Provides), "; ")},
		{"called", commandLines(o.Manifest)},
	} {
		if line[1] != "" {
			fmt.Fprintln(w, strings.TrimRight(fmt.Sprintf("  %-9s %s", line[0], line[1]), " "))
		}
	}
	return printAsked(w, "asks for", o.Requests)
}

// printAsked writes a list of capabilities.
func printAsked(w io.Writer, title string, all []asked) error {
	if len(all) == 0 {
		_, err := fmt.Fprintf(w, "  %s nothing\n", title)
		return err
	}
	fmt.Fprintf(w, "  %s\n", title)
	rows := make([][]string, len(all))
	for i, one := range all {
		remark := ""
		switch {
		case one.Refused != "":
			remark = "refused by " + one.Refused
		case one.Granted:
			remark = "granted"
		}
		rows[i] = []string{"   ", one.Capability, one.Words + ": " + one.Reason, remark}
	}
	return ui.Table(w, []string{"   ", "CAPABILITY", "WHAT FOR", ""}, rows)
}

// commandLines say how a plugin is called that is a program; "" = it is none.
func commandLines(m abi.Manifest) string {
	if m.Tool == nil {
		return ""
	}
	var ways []string
	for _, args := range [][]string{m.Tool.Args, m.Tool.FixArgs} {
		if len(args) > 0 {
			ways = append(ways, strings.Join(append([]string{m.Name}, args...), " "))
		}
	}
	return strings.Join(ways, "; ") + ", with the workspace at " + cmp.Or(m.Tool.Root, abi.Source)
}

// provided says in words what a plugin can be asked for.
func provided(p abi.Provides) []string {
	var all []string
	for _, files := range []struct {
		what string
		*abi.Files
	}{{"lint", p.Lint}, {"format", p.Format}} {
		if files.Files != nil {
			all = append(all, files.what+" "+strings.Join(files.Globs, " "))
		}
	}
	for _, t := range p.Tasks {
		all = append(all, "wr "+t.Name)
	}
	for _, one := range []struct {
		what string
		is   bool
	}{{"discover", p.Discover}, {"release", p.Release}, {"image", p.Image}} {
		if one.is {
			all = append(all, one.what)
		}
	}
	all = append(all, p.Checks...)
	if len(p.Events) > 0 {
		all = append(all, "events "+strings.Join(p.Events, " "))
	}
	return all
}

// short is a digest that people can tell from others.
func short(digest string) string {
	_, hex, _ := strings.Cut(digest, ":")
	return cmp.Or(hex, digest)[:min(12, len(cmp.Or(hex, digest)))]
}
