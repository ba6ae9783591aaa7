package call_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/wr-build/wr/host/plugin/call"
	"github.com/wr-build/wr/sdk/go/abi"
)

// serve starts a server on this machine and returns its URL, which names it by
// its address.
func serve(t *testing.T, handle http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(handle)
	t.Cleanup(s.Close)
	return s.URL
}

// network are functions with the network and some grants.
func network(t *testing.T, grants ...string) *call.Functions {
	t.Helper()
	c := call.NewClient(nil)
	t.Cleanup(func() { c.Close() })
	env := map[string]string{"WR_SECRET_TOKEN": "s3cr3t-value"}
	return &call.Functions{Grants: granted(grants), HTTP: c, Secrets: &call.Secrets{LookupEnv: func(name string) (string, bool) {
		value, ok := env[name]
		return value, ok
	}}}
}

func TestAnExchangeIsWhatThePluginAskedFor(t *testing.T) {
	at := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Answer", r.Header.Get("X-Question"))
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprintf(w, "%s %s %s %s", r.Method, r.URL.RequestURI(), r.Header.Get("Authorization"), r.UserAgent())
	})
	f := network(t, "http:POST "+at, "secret:TOKEN")
	var got abi.HTTPResult
	wantCode(t, ask(t, f, abi.MethodHTTP, abi.HTTPParams{
		Method: "POST", URL: at + "/a?b=c", Header: map[string][]string{"x-question": {"why"}},
		Secrets: map[string]string{"Authorization": "Bearer {TOKEN}!"},
	}, &got), 0)
	if string(got.Body) != "POST /a?b=c Bearer s3cr3t-value! wr-plugin" || got.Status != 418 || got.Header["X-Answer"][0] != "why" {
		t.Errorf("got %d %v %s", got.Status, got.Header, got.Body)
	}
	if hidden := f.Secrets.Hide("it is s3cr3t-value."); hidden != "it is ***." {
		t.Errorf("got %q", hidden)
	}
}

func TestRequestsThatAreRefused(t *testing.T) {
	f := network(t, "http:GET https://example.com", "http:GET http://127.0.0.1:1")
	for url, code := range map[string]int{
		"https://example.com.evil.test/":    abi.CodeDenied,
		"https://example.com:444/":          abi.CodeDenied,
		"http://example.com/":               abi.CodeDenied,
		"https://example.com@evil.test/":    abi.CodeInvalidParams,
		"https://user:pass@example.com/":    abi.CodeInvalidParams,
		"file:///etc/passwd":                abi.CodeInvalidParams,
		"//example.com/":                    abi.CodeInvalidParams,
		"https://example.com\r\nX: y/":      abi.CodeInvalidParams,
		"http://127.0.0.1:1/nobody-listens": abi.CodeUnavailable,
	} {
		t.Run(url, func(t *testing.T) {
			wantCode(t, ask(t, f, abi.MethodHTTP, abi.HTTPParams{Method: "GET", URL: url}, nil), code)
		})
	}
	wantCode(t, ask(t, f, abi.MethodHTTP, abi.HTTPParams{Method: "POST", URL: "https://example.com"}, nil), abi.CodeDenied)
	wantCode(t, ask(t, f, abi.MethodHTTP, abi.HTTPParams{
		Method: "GET", URL: "https://example.com", Header: map[string][]string{"host": {"evil.test"}},
	}, nil), abi.CodeInvalidParams)
	wantCode(t, ask(t, f, abi.MethodHTTP, abi.HTTPParams{
		Method: "GET", URL: "https://example.com", Secrets: map[string]string{"X": "{TOKEN}"},
	}, nil), abi.CodeDenied)
}

func TestARedirectGoesOnlyWhereTheGrantGoes(t *testing.T) {
	reached := false
	elsewhere := serve(t, func(http.ResponseWriter, *http.Request) { reached = true })
	at := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere, http.StatusFound) })
	wantCode(t, ask(t, network(t, "http:GET "+at), abi.MethodHTTP, abi.HTTPParams{Method: "GET", URL: at}, nil), abi.CodeDenied)
	if reached {
		t.Error("the request arrived")
	}
	wantCode(t, ask(t, network(t, "http:GET "+at, "http:GET "+elsewhere), abi.MethodHTTP, abi.HTTPParams{Method: "GET", URL: at}, nil), 0)
	if !reached {
		t.Error("a granted redirect was not followed")
	}
}

func TestASecretIsNotCarriedToAnotherOrigin(t *testing.T) {
	var header http.Header
	elsewhere := serve(t, func(_ http.ResponseWriter, r *http.Request) { header = r.Header })
	at := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere, http.StatusTemporaryRedirect)
	})
	f := network(t, "http:GET "+at, "http:GET "+elsewhere, "secret:TOKEN")
	wantCode(t, ask(t, f, abi.MethodHTTP, abi.HTTPParams{
		Method: "GET", URL: at, Header: map[string][]string{"X-Open": {"yes"}},
		Secrets: map[string]string{"X-Api-Key": "{TOKEN}", "authorization": "Bearer {TOKEN}"},
	}, nil), 0)
	if header.Get("X-Api-Key") != "" || header.Get("Authorization") != "" || header.Get("X-Open") != "yes" {
		t.Errorf("the other origin got %v", header)
	}
}

func TestRedirectsAndBodiesHaveLimits(t *testing.T) {
	var round string
	round = serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, round, http.StatusFound) })
	wantCode(t, ask(t, network(t, "http:GET "+round), abi.MethodHTTP, abi.HTTPParams{Method: "GET", URL: round}, nil), abi.CodeLimit)
	large := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		part := []byte(strings.Repeat("x", 1<<20))
		for range 1000 {
			if _, err := w.Write(part); err != nil {
				return
			}
		}
	})
	wantCode(t, ask(t, network(t, "http:GET "+large), abi.MethodHTTP, abi.HTTPParams{Method: "GET", URL: large}, nil), abi.CodeLimit)
}

func TestAProxyIsAskedInsteadOfTheHost(t *testing.T) {
	proxy := serve(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "proxy saw ", r.URL) })
	c := call.NewClient(func(*http.Request) (*url.URL, error) { return url.Parse(proxy) })
	defer c.Close()
	f := &call.Functions{Grants: granted{"http:GET http://example.test"}, HTTP: c}
	var got abi.HTTPResult
	wantCode(t, ask(t, f, abi.MethodHTTP, abi.HTTPParams{Method: "GET", URL: "http://example.test/x"}, &got), 0)
	if string(got.Body) != "proxy saw http://example.test/x" {
		t.Errorf("got %s", got.Body)
	}
}
