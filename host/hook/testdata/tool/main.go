// Command tool is a program that knows nothing of wr. Its first argument says how it
// behaves, the others are files. In files it looks for a word that the nearest
// .toolrc has, and for lines that it does not understand.
package main

import (
	"bytes"
	"fmt"
	"os"
	"path"
	"strconv"
	"strings"
)

func main() {
	mode, names := os.Args[1], os.Args[2:]
	modes := map[string]func([]string) int{
		"list": list, "diff": diff, "one": one, "lazy": lazy, "world": world, "careless": careless,
		"loop":      func([]string) int { return loop() },
		"flood":     func([]string) int { return flood(os.Stdout, 1<<40) },
		"log":       func([]string) int { return flood(os.Stderr, 2<<20) },
		"panic":     func([]string) int { panic("no more") },
		"other":     func([]string) int { fmt.Println(path.Dir(names[0]) + "/other.txt"); return 1 },
		"outside":   func([]string) int { fmt.Println("/etc/passwd"); return 1 },
		"silent":    func([]string) int { return 1 },
		"wrong":     func([]string) int { hunk(names[0], "never there", "DONE"); return 1 },
		"twice":     func([]string) int { return twice(names[0]) },
		"diffother": func([]string) int { hunk(path.Dir(names[0])+"/other.txt", "TODO", "DONE"); return 1 },
	}
	if run := modes[mode]; run != nil {
		os.Exit(run(names))
	}
	code, err := strconv.Atoi(mode)
	if err != nil {
		panic(err)
	}
	fmt.Fprintln(os.Stderr, "so long")
	os.Exit(code)
}

// word is what is looked for in a file.
func word(name string) string {
	for dir := path.Dir(name); ; dir = path.Dir(dir) {
		if text, err := os.ReadFile(path.Join(dir, ".toolrc")); err == nil {
			return strings.TrimSpace(string(text))
		}
		if dir == "/" {
			return "TODO"
		}
	}
}

// each calls do with each file that can be read and understood.
func each(names []string, do func(name, text string)) (failed bool) {
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			failed = true
			continue
		}
		if i := bytes.Index(text, []byte("SYNTAX")); i >= 0 {
			fmt.Fprintf(os.Stderr, "%s:%d: in %s something is wrong\n", name, 1+bytes.Count(text[:i], []byte("\n")), name)
			failed = true
			continue
		}
		do(name, string(text))
	}
	return failed
}

func code(failed bool) int {
	if failed {
		return 1
	}
	return 0
}

func list(names []string) int {
	found := false
	failed := each(names, func(name, text string) {
		if strings.Contains(text, word(name)) {
			found = true
			fmt.Println(name)
		}
	})
	return code(failed || found)
}

func diff(names []string) int {
	found := false
	failed := each(names, func(name, text string) {
		n := 0
		for line := range strings.Lines(text) {
			n++
			if line = strings.TrimSuffix(line, "\n"); strings.Contains(line, word(name)) {
				fmt.Printf("--- %s.orig\n+++ %s\n@@ -%d +%d @@\n-%s\n+%s\n", name, name, n, n, line, strings.ReplaceAll(line, word(name), "DONE"))
				found = true
			}
		}
	})
	return code(failed || found)
}

// one is about the only file that it takes.
func one(names []string) int {
	if len(names) != 1 {
		return 9
	}
	return list(names)
}

// lazy looks at no file but the first.
func lazy(names []string) int {
	fmt.Println(names[0])
	return 1
}

// careless passes over what it cannot read.
func careless(names []string) int {
	each(names, func(string, string) {})
	return 0
}

// world tells what there is of it.
func world([]string) int {
	fmt.Fprintln(os.Stderr, os.Environ(), os.Args)
	return 9
}

// loop never ends, and says now and then that it goes on.
func loop() int {
	for n := 1; ; n++ {
		if n%10_000_000 == 0 {
			fmt.Fprintln(os.Stderr, "and on")
		}
	}
}

func flood(to *os.File, size int) int {
	line := bytes.Repeat([]byte("a line that nobody wants\n"), 1000)
	for size > 0 {
		n, _ := to.Write(line)
		size -= n
	}
	return 0
}

func hunk(name, before, after string) {
	fmt.Printf("--- %s\n+++ %s\n@@ -1 +1 @@\n-%s\n+%s\n", name, name, before, after)
}

func twice(name string) int {
	text, _ := os.ReadFile(name)
	line, _, _ := strings.Cut(string(text), "\n")
	hunk(name, line, "once")
	hunk(name, line, "twice")
	return 1
}
