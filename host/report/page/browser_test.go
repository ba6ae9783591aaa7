//go:build browser

package page_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/wr-build/wr/host/report"
)

// These tests need Chromium and fail where there is none: `make test-full` runs
// them, and .ci/bootstrap brings it.

// tab is one tab of a headless Chromium that shows a page.
type tab struct {
	t   *testing.T
	ctx context.Context //nolint:containedctx // it is what chromedp calls a tab

	mu    sync.Mutex // guards wrong
	wrong []string   // what the console said
}

// browse shows the page of r in a window of that width.
func browse(t *testing.T, r *report.Run, width int64, before ...chromedp.Action[chromedp.Void]) *tab {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(file, write(t, r), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(stop)
	// Why no sandbox: Chromium refuses to have one as root, and the page is ours.
	ctx, end := chromedp.NewContext(ctx, chromedp.WithAllocatorOptions(chromedp.NoSandbox))
	t.Cleanup(end)
	b := &tab{t: t, ctx: ctx}
	if err := chromedp.Listen(ctx, b.listen); err != nil {
		t.Fatalf("start Chromium, which these tests need: %v", err)
	}
	b.do(chromedp.EmulateViewport(width, 800))
	b.do(before...)
	b.do(chromedp.Navigate("file://" + file))
	t.Cleanup(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, what := range b.wrong {
			t.Errorf("the console says: %s", what)
		}
	})
	return b
}

// listen notes whatever a console shows: no part of a page may be refused.
func (b *tab) listen(e any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := e.(type) {
	case *log.EventEntryAdded:
		b.wrong = append(b.wrong, e.Entry.Text)
	case *runtime.EventExceptionThrown:
		b.wrong = append(b.wrong, e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		b.wrong = append(b.wrong, string(e.Type))
	}
}

func (b *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// number is what an expression gives.
func (b *tab) number(expression string) int {
	b.t.Helper()
	n, err := chromedp.Run(b.ctx, chromedp.Evaluate[int](expression))
	if err != nil {
		b.t.Fatal(err)
	}
	return n
}

// visible is how many elements of a selector can be seen.
func (b *tab) visible(selector string) int {
	b.t.Helper()
	return b.number(fmt.Sprintf("[...document.querySelectorAll(%q)].filter((one) => one.checkVisibility()).length", selector))
}

// wants checks how many cases of each class can be seen.
func (b *tab) wants(what string, failed, errors, passed int) {
	b.t.Helper()
	got := [3]int{b.visible(".case.failed"), b.visible(".case.error"), b.visible(".case.passed")}
	if want := [3]int{failed, errors, passed}; got != want {
		b.t.Errorf("%s: %d cases that failed, errors and passed are seen, want %d", what, got, want)
	}
}

// click clicks on an element as a script would.
func (b *tab) click(selector string) {
	b.t.Helper()
	b.number(fmt.Sprintf("document.querySelector(%q).click() || 0", selector))
}

// types puts text into the field of the search.
func (b *tab) types(text string) {
	b.t.Helper()
	b.number(fmt.Sprintf("document.activeElement.value = %q, document.activeElement.dispatchEvent(new Event('input')), 0", text))
}

func TestBrowserFiltersAndSearches(t *testing.T) {
	b := browse(t, fold(story()...), 1200)
	b.wants("at first", 1, 2, 0)
	b.click("#show-error")
	b.wants("without errors", 1, 0, 0)
	b.click("#show-error")
	b.do(chromedp.KeyEvent("/"))
	if b.number("document.activeElement.id === 'search' ? 1 : 0") != 1 {
		t.Error("/ does not lead to the search")
	}
	b.types("infra test_a")
	b.wants("searching for a name", 1, 0, 2)
	b.types("no such file")
	b.wants("searching for output", 0, 1, 0)
	b.types("nowhere")
	b.wants("searching for nothing", 0, 0, 0)
	if b.number("location.hash === '#q=nowhere' ? 1 : 0") != 1 {
		t.Error("the search is not in the address")
	}
}

func TestBrowserUnfoldsTheListThatALinkLeadsInto(t *testing.T) {
	b := browse(t, fold(story()...), 1200)
	b.click(`#slowest ~ .links a[href="#u1-1"]`)
	b.do(chromedp.WaitVisible(chromedp.CSS("#u1-1")))
	b.wants("after the link", 1, 2, 2)
}

func TestBrowserFiltersWithoutScripts(t *testing.T) {
	off := chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	})
	b := browse(t, fold(story()...), 1200, off)
	b.wants("at first", 1, 2, 0)
	if b.visible("#search") != 0 {
		t.Error("there is a search that does nothing")
	}
	b.click("#show-failed")
	b.wants("without failures", 0, 2, 0)
	b.click(".rest summary")
	b.wants("with a list unfolded", 0, 2, 2)
}

func TestBrowserShowsThePageOnAPhoneAndOnADesk(t *testing.T) {
	for name, width := range map[string]int{"phone": 360, "desk": 1200} {
		t.Run(name, func(t *testing.T) {
			b := browse(t, fold(story()...), int64(width))
			if got := b.number("document.documentElement.scrollWidth"); got > width {
				t.Errorf("the page is %d wide in a window of %d", got, width)
			}
			size, err := png.DecodeConfig(bytes.NewReader(b.shot("report-" + name)))
			if err != nil || size.Width > width {
				t.Errorf("the screenshot is %d wide, %v, want %d", size.Width, err, width)
			}
		})
	}
}

// shot is a screenshot of the whole page, which is also kept in bin/screenshots,
// for whoever wants to see what has become of it.
func (b *tab) shot(name string) []byte {
	b.t.Helper()
	shot, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Fatal(err)
	}
	const kept = "../../../bin/screenshots"
	if err := errors.Join(os.MkdirAll(kept, 0o755), os.WriteFile(filepath.Join(kept, name+".png"), shot, 0o644)); err != nil {
		b.t.Error(err)
	}
	return shot
}

func TestBrowserObeysNothingThatTestsSaid(t *testing.T) {
	browse(t, hostileRun(), 1200).wants("of a hostile run", 1, 2, 0)
}

func TestBrowserShows5000CasesSoon(t *testing.T) {
	b := browse(t, large(), 1200)
	if took := b.number("Math.round(performance.timing.domComplete - performance.timing.responseEnd)"); took > 5000 {
		t.Errorf("it took %d ms", took)
	}
	b.click("#search")
	b.number("document.getElementById('search').focus(), 0")
	b.types("[4999]")
	b.wants("searching for one", 0, 0, 1)
}
