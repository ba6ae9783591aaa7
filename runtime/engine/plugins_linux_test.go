package engine

import (
	"testing"

	"github.com/containerd/plugin"
)

func TestPluginGraphIsCompleteAndClosed(t *testing.T) {
	started := map[plugin.Type]bool{}
	list := registrations()
	for _, r := range list {
		started[r.Type] = true
	}
	if len(list) != 30 {
		t.Errorf("got %d plugins, want 30: the list and the imports do not agree", len(list))
	}
	// What plugins of containerd would use if it were there, and wr leaves out.
	absent := map[plugin.Type]bool{
		"io.containerd.mount-manager.v1": true,
		"io.containerd.monitor.task.v1":  true,
		"io.containerd.sandbox.store.v1": true,
	}
	for _, r := range list {
		for _, needed := range r.Requires {
			if !started[needed] && !absent[needed] {
				t.Errorf("%s needs %s, which is not there", r.URI(), needed)
			}
		}
	}
}

func TestNoPluginGetsAConfigurationOfTheRegistryThatItWritesTo(t *testing.T) {
	for _, r := range registrations() {
		if r.URI() == shimPlugin && configFor(r, Dirs{}) == r.Config {
			t.Error("the shim manager writes to its configuration")
		}
	}
}
