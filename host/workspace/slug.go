package workspace

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"
)

// rootSlug is the slug of the root. No other project can have it: the slug of
// a plain path has no double underscore.
const rootSlug = "workspace__root"

// maxSlug bounds slugs in bytes, so that they fit into file names and image
// references together with what surrounds them.
const maxSlug = 100

// plainPath matches paths that are their own slug but for the slashes.
var plainPath = regexp.MustCompile(`^[a-z0-9]+([._-][a-z0-9]+)*(/[a-z0-9]+([._-][a-z0-9]+)*)*$`)

// notPlain matches what neither image references nor host names hold.
var notPlain = regexp.MustCompile(`[^a-z0-9]+`)

// Slug returns the project's path as one part of an image reference or file
// name: "apps/web" is "apps--web". Two paths never share a slug: what cannot be
// said in lower-case letters, digits and single . _ - gets a hash of the path
// after "---", which no plain path gives.
func (p Project) Slug() string {
	if p.Path == "." {
		return rootSlug
	}
	return slug(p.Path, "project")
}

// Slug returns the workspace's name as one part of an image reference. Names
// that differ in case alone share one.
func (w *Workspace) Slug() string { return slug(strings.ToLower(w.Name), "workspace") }

// slug says text in what references may hold; otherwise is what people read
// when nothing of it can be said.
func slug(text, otherwise string) string {
	plain := strings.ReplaceAll(text, "/", "--")
	if plainPath.MatchString(text) && len(plain) <= maxSlug {
		return plain
	}
	hash := sha256.Sum256([]byte(text))
	readable := cut(notPlain.ReplaceAllString(strings.ToLower(text), "-"), maxSlug-20)
	return cmp.Or(readable, otherwise) + "---" + hex.EncodeToString(hash[:8])
}

// Hostname returns a name for the project's container that is valid in DNS. It
// is for people to read; two projects may share one.
func (p Project) Hostname() string {
	name := p.Path
	if name == "." {
		name = p.Name
	}
	name = cut(notPlain.ReplaceAllString(strings.ToLower(name), "-"), 63)
	if name == "" {
		return "project"
	}
	return name
}

// cut returns at most n bytes of a name, without dashes around it.
func cut(name string, n int) string {
	name = strings.Trim(name, "-")
	return strings.Trim(name[:min(n, len(name))], "-")
}
