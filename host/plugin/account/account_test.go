package account_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wr-build/wr/host/plugin/account"
	"github.com/wr-build/wr/host/state"
	"github.com/wr-build/wr/runtime/spec"
)

func open(t *testing.T) (state.Folder, string) {
	t.Helper()
	root := t.TempDir()
	own, err := state.Open(root, spec.Owner{UID: os.Getuid(), GID: os.Getgid()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = own.Close() })
	return own, filepath.Join(root, ".wr", "plugins", "uses.ndjson")
}

func add(t *testing.T, own state.Folder, r account.Run) {
	t.Helper()
	if err := account.Add(own, r); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, own state.Folder) []account.Run {
	t.Helper()
	all, err := account.Read(own)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// use is a use in which nothing is zero.
func use() account.Use {
	u := account.Use{
		Calls: 1, Kept: 2, Failed: 3, Crashes: 4, TimedOut: 5, Again: 6, Starts: 7, Start: 8, Compile: 9,
		Memory: 10, Process: 11, Files: 12, Read: 13, Functions: map[string]account.Function{"http": {Calls: 14, Denied: 15, Time: 16}},
	}
	u.Times.Add(time.Millisecond)
	return u
}

func TestEverythingIsAddedUp(t *testing.T) {
	one := use()
	v := reflect.ValueOf(one)
	for i := range v.NumField() {
		if v.Field(i).IsZero() {
			t.Fatalf("use sets no %s", v.Type().Field(i).Name)
		}
	}
	sum := account.Sum([]account.Run{{Plugins: map[string]account.Use{"a": one, "b": {}}}, {Plugins: map[string]account.Use{"a": one}}})
	want := account.Use{
		Calls: 2, Kept: 4, Failed: 6, Crashes: 8, TimedOut: 10, Again: 12, Starts: 14, Start: 16, Compile: 18,
		Memory: 10, Process: 11, Files: 24, Read: 26, Functions: map[string]account.Function{"http": {Calls: 28, Denied: 30, Time: 32}},
	}
	want.Times.Add(time.Millisecond)
	want.Times.Add(time.Millisecond)
	if !reflect.DeepEqual(*sum["a"], want) || len(sum) != 2 {
		t.Errorf("got %+v\nwant %+v", sum["a"], want)
	}
	if !reflect.DeepEqual(one, use()) {
		t.Errorf("what was added was changed: %+v", one)
	}
}

func TestTheMedianIsAboutRight(t *testing.T) {
	var d account.Durations
	if d.Median() != 0 {
		t.Errorf("of none: %v", d.Median())
	}
	for ms := range 1001 {
		d.Add(time.Duration(ms) * time.Millisecond)
	}
	if got := d.Median(); got < 475*time.Millisecond || got > 525*time.Millisecond || d.Max != time.Second || d.Count != 1001 {
		t.Errorf("got %v, %+v", got, d)
	}
	d = account.Durations{}
	d.Add(time.Second)
	if got := d.Median(); got > time.Second || got < 950*time.Millisecond {
		t.Errorf("of one second: %v", got)
	}
}

func TestRunsAreKept(t *testing.T) {
	own, path := open(t)
	if got := read(t, own); len(got) != 0 {
		t.Fatalf("got %v of none", got)
	}
	var book account.Book
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() { book.Enter("a", func(u *account.Use) { u.Calls++ }) })
	}
	all.Wait()
	add(t, own, account.Run{Time: time.Unix(1, 0).UTC(), Command: "lint", Plugins: book.Uses()})
	// A wr that was killed while it wrote.
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(f, `{"version":1,"comm`)
	_ = f.Close()
	add(t, own, account.Run{Time: time.Unix(2, 0).UTC(), Command: "test", Plugins: map[string]account.Use{"b": use()}})
	want := []account.Run{
		{1, time.Unix(1, 0).UTC(), "lint", map[string]account.Use{"a": {Calls: 10}}},
		{1, time.Unix(2, 0).UTC(), "test", map[string]account.Use{"b": use()}},
	}
	if got := read(t, own); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	if err := account.Reset(own); err != nil || len(read(t, own)) != 0 {
		t.Errorf("reset: %v, left %v", err, read(t, own))
	}
	if err := account.Reset(own); err != nil {
		t.Errorf("reset of nothing: %v", err)
	}
}

func TestTheOldestRunsGo(t *testing.T) {
	own, path := open(t)
	long := strings.Repeat("x", 10<<10)
	for i := range 60 {
		add(t, own, account.Run{Command: long, Plugins: map[string]account.Use{fmt.Sprint(i): {}}})
		if info, err := os.Stat(path); err != nil || info.Size() > 512<<10 {
			t.Fatalf("after %d: %v, %v", i, info, err)
		}
	}
	var names []string
	for _, r := range read(t, own) {
		names = slices.AppendSeq(names, maps.Keys(r.Plugins))
	}
	if len(names) < 20 || len(names) > 52 || names[len(names)-1] != "59" || names[0] != fmt.Sprint(60-len(names)) {
		t.Errorf("left are %v", names)
	}
}

func TestRunsAtOnceAreAllKept(t *testing.T) {
	own, _ := open(t)
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			if err := account.Add(own, account.Run{Plugins: map[string]account.Use{fmt.Sprint(i): {}}}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := read(t, own); len(got) != 20 {
		t.Errorf("kept %d of 20", len(got))
	}
}
