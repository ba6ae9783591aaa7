//go:build linux && engine

package cli

import (
	"encoding/json"
	"io"
	"log"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/remotes/docker"
	"github.com/google/go-containerregistry/pkg/registry"

	"github.com/wr-build/wr/runtime/engine"
)

// loopbackRegistry serves an empty registry on this machine until the test
// ends, and returns where images go in it.
func loopbackRegistry(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://") + "/acme"
}

// copyImage moves a tag of a registry to the image that `wr build --json` has
// told of. wr itself never moves one, so this speaks to the store.
func copyImage(t *testing.T, told, remote string) {
	t.Helper()
	var all []built
	if err := json.Unmarshal([]byte(told), &all); err != nil || len(all) != 1 {
		t.Fatalf("%v in %s", err, told)
	}
	c, err := client.New(engineDirs.ContainerdSocket(), client.WithDefaultNamespace(engine.Namespace))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	image, err := c.GetImage(t.Context(), all[0].Image)
	if err != nil {
		t.Fatal(err)
	}
	plain := docker.NewResolver(docker.ResolverOptions{Hosts: docker.ConfigureDefaultRegistries(docker.WithPlainHTTP(docker.MatchLocalhost))})
	if err := c.Push(t.Context(), remote, image.Target(), client.WithResolver(plain)); err != nil {
		t.Fatal(err)
	}
}
