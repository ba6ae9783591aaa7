package testcache

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/wr-build/wr/host/cache"
	"github.com/wr-build/wr/host/plan"
)

// last is what was so when the tests of a unit passed last and were kept.
type last struct {
	Run    string
	Action string // plan.Action.Key
	Runner string
}

// filesName is the name of the files among the outputs of a last.
const filesName = "files"

// lastKey is that under which the last of an action is kept.
func (c *Cache) lastKey(a plan.Action) cache.Key {
	return cache.KeyOf("test last 1", c.Root, a.ID)
}

// note keeps how all was in the run in which a passed.
func (c *Cache) note(a plan.Action, f *Files, run string) error {
	files, err := c.Store.PutBlob([]byte(strings.Join(f.parts, "\x00\n")))
	if err != nil {
		return err
	}
	data, err := json.Marshal(last{Run: run, Action: a.Key, Runner: c.Runner})
	if err == nil {
		c.Store.PutResult(c.lastKey(a), cache.Result{Data: data, Outputs: []cache.Output{{Path: filesName, Digest: files}}})
	}
	return err
}

// Missed says why nothing is known of an action that Get has not found: what is
// different since it was kept last; "" = it never was.
func (c *Cache) Missed(a plan.Action, f *Files) string {
	kept, ok := c.Store.Result(c.lastKey(a))
	var l last
	if !ok || json.Unmarshal(kept.Data, &l) != nil || len(kept.Outputs) != 1 {
		return ""
	}
	if l.Runner != c.Runner {
		return "another wr ran it in " + l.Run
	}
	gone := "what was kept of " + l.Run + " is not there any more"
	files, ok := c.Store.Blob(kept.Outputs[0].Digest)
	if !ok {
		return gone
	}
	changes := differ(strings.Split(string(files), "\x00\n"), f.parts)
	switch n := len(changes); {
	case n == 1:
		return changes[0] + " since " + l.Run
	case n > 1:
		return fmt.Sprintf("%s, and %d more differ, since %s", changes[0], n-1, l.Run)
	case l.Action != a.Key:
		return "its image, command, environment or suites are others than in " + l.Run
	default:
		return gone
	}
}

// differ says which paths make two lists of parts differ, and how. Both are by path.
func differ(before, after []string) []string {
	var changes []string
	for len(before)+len(after) > 0 {
		b, a := head(before), head(after)
		switch {
		case a == "" || b != "" && b < a:
			changes, before = append(changes, b+" is gone"), before[1:]
		case b == "" || a < b:
			changes, after = append(changes, a+" is new"), after[1:]
		default:
			if before[0] != after[0] {
				changes = append(changes, a+" changed")
			}
			before, after = before[1:], after[1:]
		}
	}
	return changes
}

// head is the path of the first part; "" = there is none.
func head(parts []string) string {
	if len(parts) == 0 {
		return ""
	}
	name, _, _ := strings.Cut(parts[0], "\x00")
	return name
}
