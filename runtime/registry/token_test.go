package registry

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// manifest is the one image of a guarded registry, acme/web:1.
const (
	manifest     = `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{},"layers":[]}`
	manifestType = "application/vnd.oci.image.manifest.v1+json"
)

// rules are how a guarded registry treats people.
type rules struct {
	oauth  bool // tokens can be asked for by POST
	public bool // anybody gets a token
	denied bool // a token gives no rights
}

// guarded is a registry that wants tokens, and the server that gives them.
type guarded struct {
	rules
	host string

	mu     sync.Mutex // guards what follows
	valid  string     // the token that is accepted
	issued int
	scopes []string // that were asked for
}

// guard starts one; it ends with the test.
func guard(t *testing.T, by rules) *guarded {
	t.Helper()
	g := &guarded{rules: by}
	mux := http.NewServeMux()
	mux.HandleFunc("/token", g.token)
	mux.HandleFunc("/v2/", g.registry)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	g.host = strings.TrimPrefix(server.URL, "http://")
	return g
}

// token gives one to ada, or to who has a refresh token.
func (g *guarded) token(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost && !g.oauth {
		w.WriteHeader(http.StatusNotFound) // as of a registry without OAuth
		return
	}
	user, password, _ := r.BasicAuth()
	known := user == "ada" && password == "secret" || r.FormValue("refresh_token") == "refresh" ||
		r.FormValue("username") == "ada" && r.FormValue("password") == "secret"
	if r.FormValue("service") != "registry.test" || !known && !g.public {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.issued++
	g.valid = fmt.Sprint("token", g.issued)
	g.scopes = append(g.scopes, strings.Fields(r.FormValue("scope"))...)
	_ = json.NewEncoder(w).Encode(map[string]any{"token": g.valid, "access_token": g.valid, "expires_in": 300})
}

// registry serves the image to who has the token that is valid now.
func (g *guarded) registry(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	valid := g.valid
	g.mu.Unlock()
	given := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if given == "" || given != valid {
		challenge := fmt.Sprintf(`Bearer realm="http://%s/token",service="registry.test",scope="repository:acme/web:pull"`, g.host)
		if given != "" {
			challenge += `,error="invalid_token"`
		}
		w.Header().Set("WWW-Authenticate", challenge)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if g.denied {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	if !strings.HasPrefix(r.URL.Path, "/v2/acme/web/manifests/") {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", manifestType)
	_, _ = io.WriteString(w, manifest)
}

// expire makes the token that was given last worthless.
func (g *guarded) expire() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.valid = "none"
}

func TestATokenIsFetchedForWhatIsAsked(t *testing.T) {
	const ada, refresh = `{"auths":{"HOST":{"auth":"ADA"}}}`, `{"auths":{"HOST":{"identitytoken":"refresh"}}}`
	for name, tt := range map[string]struct {
		rules
		config string
	}{
		"with a password":          {rules{}, ada},
		"with a password, by POST": {rules{oauth: true}, ada},
		"with a refresh token":     {rules{oauth: true}, refresh},
		"without credentials":      {rules{public: true}, `{}`},
	} {
		t.Run(name, func(t *testing.T) {
			g := guard(t, tt.rules)
			r := New(Config{DockerConfig: dockerConfig(t, strings.ReplaceAll(tt.config, "HOST", g.host))})
			digest, found, err := r.Resolve(t.Context(), g.host+"/acme/web:1")
			if err != nil || !found || !strings.HasPrefix(digest, "sha256:") {
				t.Fatalf("got %q, %v, %v", digest, found, err)
			}
			if !slices.Contains(g.scopes, "repository:acme/web:pull") {
				t.Errorf("asked for %v", g.scopes)
			}
			if g.issued != 1 {
				t.Errorf("%d tokens were fetched", g.issued)
			}
		})
	}
}

func TestATokenThatExpiresIsFetchedAnew(t *testing.T) {
	g := guard(t, rules{public: true})
	r := New(Config{})
	resolver := r.resolver(nil)
	ref := g.host + "/acme/web:1"
	name, descriptor, err := resolver.Resolve(r.within(t.Context()), ref)
	if err != nil {
		t.Fatal(err)
	}
	g.expire()
	fetcher, err := resolver.Fetcher(r.within(t.Context()), name)
	if err != nil {
		t.Fatal(err)
	}
	body, err := fetcher.Fetch(r.within(t.Context()), descriptor)
	if err != nil {
		t.Fatalf("with a token that has expired: %v", err)
	}
	defer body.Close()
	if got, err := io.ReadAll(body); err != nil || string(got) != manifest || g.issued != 2 {
		t.Errorf("got %s, %v with %d tokens", got, err, g.issued)
	}
}

func TestWhoGetsNoTokenIsToldToLogIn(t *testing.T) {
	const wrong = `{"auths":{"HOST":{"username":"ada","password":"guess"}}}`
	for name, tt := range map[string]struct {
		rules
		config, next string
	}{
		"no credentials":     {rules{}, `{}`, "docker login "},
		"wrong password":     {rules{}, wrong, "docker login "},
		"wrong, by POST":     {rules{oauth: true}, wrong, "docker login "},
		"a token, no rights": {rules{public: true, denied: true}, `{}`, "docker login "},
		"a broken config":    {rules{}, `{"auths":`, "config.json"},
	} {
		t.Run(name, func(t *testing.T) {
			g := guard(t, tt.rules)
			r := New(Config{DockerConfig: dockerConfig(t, strings.ReplaceAll(tt.config, "HOST", g.host))})
			_, found, err := r.Resolve(t.Context(), g.host+"/acme/web:1")
			f := fault.Of(err)
			if found || f == nil || f.Code != "registry.denied" || !strings.Contains(f.Next, tt.next) {
				t.Errorf("got %v, %+v", found, f)
			}
		})
	}
}

func TestAnImageThatIsNotThereIsNoError(t *testing.T) {
	g := guard(t, rules{public: true})
	if digest, found, err := New(Config{}).Resolve(t.Context(), g.host+"/acme/other:1"); found || digest != "" || err != nil {
		t.Errorf("got %q, %v, %v", digest, found, err)
	}
}
