package call

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/wr-build/wr/sdk/go/abi"
)

// Limits of one exchange. A body has to fit into one message, in base64.
const (
	maxBody      = 5 << 20
	maxHeader    = 256 << 10
	maxRedirects = 10
	httpTimeout  = time.Minute
)

// Client is how plugins reach the network. Requests and connections of
// different plugins share nothing but this.
type Client struct {
	direct, proxied *http.Transport
	proxy           func(*http.Request) (*url.URL, error)
}

// NewClient makes a client. The proxy of a request is what proxy says, as
// http.ProxyFromEnvironment does; nil = none. Who resolves names is then the
// proxy, so it decides which addresses are to be reached.
func NewClient(proxy func(*http.Request) (*url.URL, error)) *Client {
	if proxy == nil {
		proxy = func(*http.Request) (*url.URL, error) { return nil, nil } //nolint:nilnil // as http.Transport has it
	}
	c := &Client{proxy: proxy, direct: transport(), proxied: transport()}
	c.direct.DialContext = (&net.Dialer{ControlContext: guard}).DialContext
	c.proxied.Proxy = proxy
	return c
}

func transport() *http.Transport {
	return &http.Transport{
		MaxResponseHeaderBytes: maxHeader, MaxIdleConnsPerHost: 2, IdleConnTimeout: 30 * time.Second,
		TLSHandshakeTimeout: 10 * time.Second, ForceAttemptHTTP2: true,
	}
}

// Close ends connections that are kept.
func (c *Client) Close() error {
	c.direct.CloseIdleConnections()
	c.proxied.CloseIdleConnections()
	return nil
}

// addressed is the context's key for a URL that names its address itself.
type addressed struct{}

// guard lets a connection go to public addresses only. It sees what names were
// resolved to, so a name cannot lead it elsewhere.
func guard(ctx context.Context, _, address string, _ syscall.RawConn) error {
	if ctx.Value(addressed{}) != nil {
		return nil
	}
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if !public(at.Addr()) {
		return fmt.Errorf("%s is an address of this machine or of its network; grant it by that address if it is meant", at.Addr())
	}
	return nil
}

// RoundTrip sends one request, through the proxy where there is one for it.
func (c *Client) RoundTrip(r *http.Request) (*http.Response, error) {
	proxy, err := c.proxy(r)
	if err != nil {
		return nil, err
	}
	if proxy != nil {
		return c.proxied.RoundTrip(r)
	}
	if named(r.URL) {
		r = r.WithContext(context.WithValue(r.Context(), addressed{}, true))
	}
	return c.direct.RoundTrip(r)
}

// http does one granted exchange, and those it is redirected to if they are
// granted too.
func (f *Functions) http(ctx context.Context, p abi.HTTPParams) (abi.HTTPResult, error) {
	ctx, cancel := context.WithTimeout(ctx, httpTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, strings.ToUpper(p.Method), p.URL, bytes.NewReader(p.Body))
	if err != nil {
		return abi.HTTPResult{}, invalid(err.Error())
	}
	if err := f.mayRequest(r); err != nil {
		return abi.HTTPResult{}, err
	}
	if f.HTTP == nil {
		return abi.HTTPResult{}, nothing("the network")
	}
	if err := f.header(r, p); err != nil {
		return abi.HTTPResult{}, err
	}
	client := http.Client{Transport: f.HTTP, CheckRedirect: func(next *http.Request, via []*http.Request) error {
		return f.redirect(next, via, p)
	}}
	response, err := client.Do(r)
	if err != nil {
		return abi.HTTPResult{}, err
	}
	defer response.Body.Close()
	return result(response)
}

// mayRequest checks a request's method and origin.
func (f *Functions) mayRequest(r *http.Request) error {
	from, err := origin(r.URL)
	if err != nil {
		return invalid(err.Error())
	}
	return allow(f.Grants, abi.CapHTTP, r.Method+" "+from)
}

// ours are headers that are the host's to set.
var ours = []string{"Host", "Connection", "Content-Length", "Proxy-Authorization", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade"}

func isOurs(header string) bool { return slices.Contains(ours, http.CanonicalHeaderKey(header)) }

// header fills the header, secrets in it.
func (f *Functions) header(r *http.Request, p abi.HTTPParams) error {
	r.Header.Set("User-Agent", "wr-plugin")
	for name, values := range p.Header {
		if isOurs(name) {
			return invalid("the header " + name + " is the host's to set")
		}
		r.Header[http.CanonicalHeaderKey(name)] = values
	}
	for name, form := range p.Secrets {
		if isOurs(name) {
			return invalid("the header " + name + " is the host's to set")
		}
		value, err := f.fill(form)
		if err != nil {
			return err
		}
		r.Header.Set(name, value)
	}
	return nil
}

// fill puts secrets into a form as "Bearer {NPM_TOKEN}".
func (f *Functions) fill(form string) (string, error) {
	before, rest, found := strings.Cut(form, "{")
	if !found {
		return form, nil
	}
	name, after, found := strings.Cut(rest, "}")
	if !found {
		return "", invalid("a form of a secret lacks its }")
	}
	value, err := f.grantedSecret(name)
	if err != nil {
		return "", err
	}
	after, err = f.fill(after)
	return before + value + after, err
}

// redirect decides whether a redirect is followed. To another origin no header
// goes along that the host put a secret into, or that says who asks.
func (f *Functions) redirect(next *http.Request, via []*http.Request, p abi.HTTPParams) error {
	if len(via) > maxRedirects {
		return limit("more than %d redirects", maxRedirects)
	}
	if err := f.mayRequest(next); err != nil {
		return err
	}
	first, _ := origin(via[0].URL)
	if now, _ := origin(next.URL); now != first {
		next.Header.Del("Authorization")
		next.Header.Del("Cookie")
		for name := range p.Secrets {
			next.Header.Del(name)
		}
	}
	return nil
}

// result is a response that fits into a message.
func result(r *http.Response) (abi.HTTPResult, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return abi.HTTPResult{}, err
	}
	if len(body) > maxBody {
		return abi.HTTPResult{}, limit("the answer has more than %d bytes", maxBody)
	}
	return abi.HTTPResult{Status: r.StatusCode, Header: r.Header, Body: body}, nil
}
