// Package page makes one self-contained HTML page of a run: no network, no
// fonts, no scripts but its own, which the page's policy names by hash. It works
// without scripts too; these only add the search. What tests printed is text in
// it and nothing else.
package page

import (
	"crypto/sha256"
	_ "embed" // of the files beside this one
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/wr-build/wr/host/report"
)

//go:embed page.gohtml
var source string

//go:embed page.css
var style string

//go:embed page.js
var script string

// parsed is made at first use: few commands write a page.
var parsed = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("page").Funcs(template.FuncMap{
		"seconds": seconds, "clean": func(v any) string { return clean(fmt.Sprint(v)) }, "class": class, "moment": moment, "percent": report.Percent,
	}).Parse(source))
})

// Write writes the page of r. Long texts are cut in the middle, and left out
// once there were too many; the page says so.
func Write(w io.Writer, r *report.Run) error {
	return parsed().Execute(w, show(r))
}

// policy lets the browser take the page's own style and script, and nothing
// else from anywhere.
func policy() string {
	return fmt.Sprintf("default-src 'none'; style-src '%s'; script-src '%s'; base-uri 'none'; form-action 'none'", hash(style), hash(script))
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// class is a kind as the name of a class.
func class(k report.Kind) string { return strings.ReplaceAll(string(k), " ", "-") }

// seconds is d in words.
func seconds(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.2f s", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	default:
		d = d.Round(time.Second)
		return fmt.Sprintf("%d min %02d s", int(d.Minutes()), int(d.Seconds())%60)
	}
}

// moment is t in words.
func moment(t time.Time) string {
	if t.IsZero() {
		return "at an unknown time"
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}
