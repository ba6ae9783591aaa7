package page_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"github.com/wr-build/wr/host/event"
	"github.com/wr-build/wr/host/report"
	"github.com/wr-build/wr/host/report/page"
	"github.com/wr-build/wr/runtime/spec/fault"
)

var update = flag.Bool("update", false, "write the pages in testdata")

// fold makes the run of events that come a tenth of a second apart.
func fold(events ...event.Event) *report.Run {
	r, now := &report.Run{}, time.Date(2026, 11, 23, 2, 15, 33, 0, time.UTC)
	stream := event.NewStream(func() time.Time {
		now = now.Add(100 * time.Millisecond)
		return now
	}, r)
	for _, e := range events {
		stream.Emit(e)
	}
	return r
}

// write makes the page of r.
func write(t testing.TB, r *report.Run) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := page.Write(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// parse makes the page of r and reads it as a browser would.
func parse(t testing.TB, r *report.Run) *html.Node {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(write(t, r)))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// all are the elements below n with that tag and, unless it is "", class.
func all(n *html.Node, tag, class string) []*html.Node {
	var found []*html.Node
	for d := range n.Descendants() {
		if d.Type == html.ElementNode && d.Data == tag && (class == "" || slices.Contains(strings.Fields(attr(d, "class")), class)) {
			found = append(found, d)
		}
	}
	return found
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// text is all text below n.
func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}

// story is a run with a bit of everything.
func story() []event.Event {
	infra, web := "infra", "apps/web"
	return []event.Event{
		{
			Type: event.RunStarted, Run: "20261123-021533-ab12", Version: "1.2.0", Args: []string{"test", "-r"},
			Personal: []event.Setting{{Key: "limits.cpus", Value: 2.0, File: "wr.local.toml", Line: 3}},
		},
		{Type: event.ProjectPlanned, Project: infra, Image: "acme/infra:in-1", Text: "mounts images", Rights: []event.Right{{Kind: "devices", Names: []string{"/dev/fuse"}}}},
		{Type: event.ProjectPlanned, Project: web, Image: "acme/web:in-0", Wanted: "acme/web:in-2"},
		{Type: event.ProjectPlanned, Project: "data"},
		{Type: event.ProjectPlanned, Project: "docs"},
		{Type: event.BuildStarted, Project: infra},
		{Type: event.BuildFinished, Project: infra, Image: "acme/infra:in-1", Digest: "sha256:1234", Elapsed: 90 * time.Millisecond},
		{Type: event.BuildFinished, Project: web, Image: "acme/web:in-0", Cached: true},
		{Type: event.ProjectFinished, Project: "data", Status: event.Broken, Fault: &fault.Error{
			Code: "image.build_failed", Message: "RUN false ended with 1", File: "data/devops/Dockerfile", Line: 3, Details: "no such file", Next: "wr build data",
		}},
		{Type: event.ProjectFinished, Project: "docs", Status: event.None, Text: "only prose"},
		{Type: event.TestStarted, Project: infra, Log: ".wr/runs/x/projects/infra/output.log"},
		{Type: event.SessionStarted, Project: infra, Text: "pytest 8.3.5, Python 3.13.5"},
		{Type: event.TestStarted, Project: web},
		{Type: event.Collected, Project: infra, Cases: []string{"test/test_a.py::test_a", "test/test_a.py::test_b[x y]", "test/test_a.py::test_c"}},
		{Type: event.CaseFinished, Project: infra, Case: "test/test_a.py::test_a", Outcome: event.Passed, Elapsed: 40 * time.Millisecond},
		{
			Type: event.CaseFinished, Project: infra, Case: "test/test_a.py::test_b[x y]", Outcome: event.Failed, File: "infra/test/test_a.py", Line: 7,
			Elapsed: 120 * time.Millisecond, Text: "AssertionError: assert 'a' == 'b'", Stdout: "\x1b[31mred\x1b[0m\n",
			Details: "    def test_b(x):\n>       assert 'a' == 'b'\nE       AssertionError: assert 'a' == 'b'\nE         \nE         - b\nE         + a\n\ntest/test_a.py:8: AssertionError",
		},
		{
			Type: event.CaseRetried, Project: infra, Case: "test/test_a.py::test_c", Attempt: 1, Outcome: event.Failed, Elapsed: 30 * time.Millisecond,
			Text: "it took longer than 5s", Details: "Timeout (0:00:05)!\n  File \"/app/test_a.py\", line 9 in test_c", Stdout: "\x1b[31mfirst try\n",
		},
		{Type: event.CaseFinished, Project: infra, Case: "test/test_a.py::test_c", Attempt: 2, Outcome: event.Passed, Earlier: []event.Outcome{event.Failed}, Text: "attempt 2"},
		{Type: event.CollectFailed, Project: web, Case: "test/test_w.py", File: "apps/web/test/test_w.py", Text: "SyntaxError", Details: "E   SyntaxError"},
		{Type: event.CaseFinished, Project: web, Case: "test/test_v.py::test_v", Outcome: event.XFailed, Text: "known"},
		{Type: event.Warning, Project: web, Text: "a warning"},
		{Type: event.ProjectFinished, Project: infra, Status: event.Bad, Elapsed: time.Second},
		{Type: event.ProjectFinished, Project: web, Status: event.Bad, Elapsed: time.Second},
		{Type: event.RunFinished, Exit: 3, Elapsed: 2300 * time.Millisecond},
	}
}

func TestAPageIsAsItWas(t *testing.T) {
	for name, r := range map[string]*report.Run{
		"mixed": fold(story()...), "cutoff": fold(story()[:14]...), "nothing": fold(),
	} {
		t.Run(name, func(t *testing.T) {
			got := write(t, r)
			for _, element := range []string{"style", "script"} { // their own files say it
				before, rest, _ := bytes.Cut(got, []byte("<"+element+">"))
				_, after, _ := bytes.Cut(rest, []byte("</"+element+">"))
				got = slices.Concat(before, []byte("<"+element+"></"+element+">"), after)
			}
			got = regexp.MustCompile(`default-src [^"]*`).ReplaceAll(got, []byte("POLICY"))
			file := "testdata/" + name + ".html"
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil { //nolint:gosec // for everybody
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("the page differs, see -update (-want +got):\n%s", diff)
			}
		})
	}
}

func TestThePageCountsAsTheTableDoes(t *testing.T) {
	for cut := range story() {
		r := fold(story()[:cut+1]...)
		root, sums := parse(t, r), r.Sums()
		for _, k := range report.Kinds {
			class := strings.ReplaceAll(string(k), " ", "-")
			if got := len(all(root, "li", class)); got != sums.Of(k) {
				t.Errorf("after %d events it has %d entries of kind %s, want %d", cut+1, got, k, sums.Of(k))
			}
			if box := text(all(root, "label", class)[0]); !strings.Contains(box, fmt.Sprintf(" %d ", sums.Of(k))) {
				t.Errorf("after %d events the box of %s says %q, want %d", cut+1, k, box, sums.Of(k))
			}
		}
		if got := len(all(root, "li", "case")); got != sums.Tests {
			t.Errorf("after %d events it has %d entries, want %d", cut+1, got, sums.Tests)
		}
	}
}

func TestAPageTakesNothingFromAnywhere(t *testing.T) {
	root := parse(t, fold(story()...))
	for n := range root.Descendants() {
		for _, a := range n.Attr {
			link := a.Key == "src" || a.Key == "href" || a.Key == "action" || a.Key == "data"
			if link && !strings.HasPrefix(a.Val, "#") || a.Key == "style" || strings.HasPrefix(a.Key, "on") {
				t.Errorf("<%s> has %s=%q", n.Data, a.Key, a.Val)
			}
		}
	}
	policy := ""
	for _, meta := range all(root, "meta", "") {
		if attr(meta, "http-equiv") == "Content-Security-Policy" {
			policy = attr(meta, "content")
		}
	}
	if !strings.HasPrefix(policy, "default-src 'none'; ") {
		t.Errorf("the policy is %q", policy)
	}
	for _, element := range []string{"style", "script"} {
		found := all(root, element, "")
		sum := sha256.Sum256([]byte(text(found[0])))
		want := element + "-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "';"
		if len(found) != 1 || !strings.Contains(policy, want) {
			t.Errorf("%d elements <%s>; the policy %q lacks %q", len(found), element, policy, want)
		}
	}
}

func TestEveryLinkLeadsSomewhereAndNoNameIsUsedTwice(t *testing.T) {
	root, ids := parse(t, fold(story()...)), map[string]int{}
	for n := range root.Descendants() {
		if id := attr(n, "id"); id != "" {
			ids[id]++
		}
	}
	for id, n := range ids {
		if n != 1 {
			t.Errorf("%d elements are called %s", n, id)
		}
	}
	for n := range root.Descendants() {
		for _, name := range []string{"href", "aria-labelledby", "for"} {
			if to := strings.TrimPrefix(attr(n, name), "#"); to != "" && ids[to] == 0 {
				t.Errorf("<%s %s=%q> leads nowhere", n.Data, name, to)
			}
		}
	}
}

// hostileRun is a run that says the same evil thing everywhere.
func hostileRun() *report.Run {
	hostile := "</script></style></pre></title><script>alert(1)</script><img src=x onerror=alert(1)>\"'`{{.}}\x00\x1b]0;title\x07\x1b[2J\x1b[31mred\u202e\xff</li>"
	e := event.Event{
		Type: event.CaseFinished, Project: hostile, Case: hostile, Outcome: event.Failed, File: hostile, Line: 1,
		Text: hostile, Details: hostile, Stdout: hostile, Stderr: hostile,
	}
	quiet := e
	quiet.Case, quiet.Outcome, quiet.Earlier = hostile+"2", event.Passed, []event.Outcome{event.Outcome(hostile), event.Failed}
	return fold(
		event.Event{Type: event.RunStarted, Run: hostile, Version: hostile, Args: []string{hostile}, Personal: []event.Setting{{Key: hostile, Value: 1, File: hostile}}},
		event.Event{Type: event.ProjectPlanned, Project: hostile, Image: hostile, Wanted: hostile, Text: hostile, Rights: []event.Right{{Kind: hostile, Names: []string{hostile}}}},
		event.Event{Type: event.BuildFinished, Project: hostile, Digest: hostile, Text: hostile},
		event.Event{Type: event.TestStarted, Project: hostile, Log: hostile}, event.Event{Type: event.SessionStarted, Project: hostile, Text: hostile},
		event.Event{Type: event.CaseStarted, Project: hostile, Case: hostile + "3"}, e, quiet,
		event.Event{Type: event.CollectFailed, Project: hostile, Case: hostile, Text: hostile, Details: hostile},
		event.Event{Type: event.Warning, Project: hostile, Text: hostile, File: hostile, Fault: &fault.Error{Code: hostile, Message: hostile}},
		event.Event{Type: event.SessionFinished, Project: hostile, Text: hostile},
		event.Event{Type: event.ProjectFinished, Project: hostile, Status: event.Status(hostile), Fault: &fault.Error{Code: hostile, Message: hostile, File: hostile, Next: hostile}},
	)
}

func TestWhatTestsSayIsTextAndNothingElse(t *testing.T) {
	r := hostileRun()
	root := parse(t, r)
	if n, m := len(all(root, "script", "")), len(all(root, "img", "")); n != 1 || m != 0 {
		t.Errorf("%d scripts and %d images", n, m)
	}
	if got := len(all(root, "li", "case")); got != r.Sums().Tests || got != 4 {
		t.Errorf("%d entries, want 4", got)
	}
	shown := text(root)
	if i := strings.IndexFunc(shown, func(c rune) bool { return c < ' ' && c != '\n' && c != '\t' || c == '\u202e' }); i >= 0 {
		t.Errorf("there is a hidden character in %q", shown[max(0, i-20):i+5])
	}
	for _, left := range []string{"[31m", "0;title", "[2J"} {
		if strings.Contains(shown, left) {
			t.Errorf("%q is left of a sequence for terminals", left)
		}
	}
	if !strings.Contains(shown, "<img src=x onerror=alert(1)>") {
		t.Error("what was printed is not shown")
	}
}

func TestADiffHasColours(t *testing.T) {
	root := parse(t, fold(story()...))
	for class, want := range map[string]string{
		"at": ">       assert 'a' == 'b'\n", "del": "E         - b\n", "add": "E         + a\n", "place": "test/test_a.py:8: AssertionError",
	} {
		found := all(root, "span", class)
		if i := slices.IndexFunc(found, func(n *html.Node) bool { return text(n) == want }); i < 0 {
			t.Errorf("no line of class %s is %q", class, want)
		}
	}
}

func TestTheTimelineShowsWhenWhatHappened(t *testing.T) {
	root := parse(t, fold(story()...))
	lanes := all(root, "div", "lane")
	if len(lanes) != 2 {
		t.Fatalf("%d lanes, want those of infra and apps/web", len(lanes))
	}
	infra := all(lanes[0], "rect", "test")[0]
	if x, width := attr(infra, "x"), attr(infra, "width"); x != "43.48%" || width != "47.83%" {
		t.Errorf("the container of infra is drawn from %s, %s wide", x, width)
	}
	if len(all(lanes[0], "rect", "build")) != 1 || len(all(lanes[0], "rect", "failed")) != 1 {
		t.Error("its build or its failure is not drawn")
	}
	if label := attr(all(lanes[0], "svg", "")[0], "aria-label"); !strings.Contains(label, "test, from 1.00 s to 2.10 s") {
		t.Errorf("in words it is %q", label)
	}
}

func TestManyLongTextsLeaveThePageSmall(t *testing.T) {
	events := []event.Event{}
	for i := range 200 {
		events = append(events, event.Event{
			Type: event.CaseFinished, Project: "p", Case: fmt.Sprintf("t.py::t%d", i), Outcome: event.Passed, Stdout: strings.Repeat("ą", 1<<20),
		})
	}
	events = append(events, event.Event{Type: event.CaseFinished, Project: "p", Case: "bad", Outcome: event.Failed, Stdout: strings.Repeat("x", 1<<20) + "last"})
	root := parse(t, fold(events...))
	if size := len(write(t, fold(events...))); size > 6<<20 {
		t.Errorf("the page has %d bytes", size)
	}
	if len(all(root, "p", "cut")) == 0 {
		t.Error("nothing says that texts are left out")
	}
	bad := text(all(root, "li", "failed")[0])
	if !strings.Contains(bad, "bytes cut by wr") || !strings.Contains(bad, "last") {
		t.Error("the failure is not shown with the end of what it printed")
	}
}

// large is a run of 5,000 cases, one in a hundred of which fails.
func large() *report.Run {
	events := []event.Event{{Type: event.RunStarted, Run: "large"}, {Type: event.TestStarted, Project: "p"}}
	for i := range 5000 {
		e := event.Event{
			Type: event.CaseFinished, Project: "p", Case: fmt.Sprintf("test/test_%d.py::TestThings::test_of_some_length[%d]", i/50, i),
			File: fmt.Sprintf("p/test/test_%d.py", i/50), Line: i, Elapsed: 80 * time.Millisecond, Outcome: event.Passed,
		}
		if i%100 == 0 {
			e.Outcome, e.Details = event.Failed, strings.Repeat("E   assert 1 == 2\n    some = code\n", 40)
		}
		events = append(events, e)
	}
	return fold(append(events, event.Event{Type: event.RunFinished, Exit: 1})...)
}

func BenchmarkPageOf5000Cases(b *testing.B) {
	r, size := large(), 0
	for b.Loop() {
		size = len(write(b, r))
	}
	b.ReportMetric(float64(size), "page-bytes")
}

func TestAPageOfManyCasesIsSmall(t *testing.T) {
	if size := len(write(t, large())); size > 3<<20 {
		t.Errorf("the page of 5,000 cases has %d bytes", size)
	}
}

// FuzzNothingThatIsPrintedIsObeyed has a test say anything at all.
func FuzzNothingThatIsPrintedIsObeyed(f *testing.F) {
	for _, seed := range []string{"", "plain", "</script><script>", "<!--", "]]>", "\x1b[31m\x00\u202e\xff", "E   - a\nE   + b\n> x\nt.py:1: E", "{{.}}`${1}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, said string) {
		root := parse(t, fold(
			event.Event{Type: event.RunStarted, Run: said, Args: []string{said}},
			event.Event{Type: event.TestStarted, Project: "p" + said, Log: said},
			event.Event{Type: event.CaseFinished, Project: "p" + said, Case: said, Outcome: event.Failed, Text: said, Details: said, Stdout: said},
			event.Event{Type: event.ProjectFinished, Project: "p" + said, Status: event.Bad},
		))
		if n, m, k := len(all(root, "script", "")), len(all(root, "style", "")), len(all(root, "li", "case")); n != 1 || m != 1 || k != 1 {
			t.Errorf("%d scripts, %d styles and %d cases", n, m, k)
		}
		if i := strings.IndexFunc(text(all(root, "main", "")[0]), func(c rune) bool { return c < ' ' && c != '\n' && c != '\t' || c == '\u202e' }); i >= 0 {
			t.Error("a hidden character is shown as it is")
		}
	})
}
