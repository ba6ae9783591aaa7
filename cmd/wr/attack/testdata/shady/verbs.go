package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/wr-build/wr/sdk/go/abi"
	"github.com/wr-build/wr/sdk/go/wr"
)

// sink keeps work from being optimized away.
var sink [][]byte

var verbs = map[string]func(c *wr.Call, w []string) (string, error){
	"read": func(_ *wr.Call, w []string) (string, error) { b, err := os.ReadFile(w[0]); return string(b), err },
	"stat": func(_ *wr.Call, w []string) (string, error) {
		info, err := os.Stat(w[0])
		if err != nil {
			return "", err
		}
		return info.Mode().Type().String(), nil
	},
	"ls": func(_ *wr.Call, w []string) (string, error) {
		entries, err := os.ReadDir(w[0])
		var names []string
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return strings.Join(names, " "), err
	},
	"write": func(_ *wr.Call, w []string) (string, error) { return "", os.WriteFile(w[0], []byte("shady"), 0o600) },
	"append": func(_ *wr.Call, w []string) (string, error) {
		f, err := os.OpenFile(w[0], os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			return "", err
		}
		defer f.Close()
		_, err = f.WriteString("shady")
		return "", err
	},
	"truncate": func(_ *wr.Call, w []string) (string, error) { return "", os.Truncate(w[0], 0) },
	"mkdir":    func(_ *wr.Call, w []string) (string, error) { return "", os.Mkdir(w[0], 0o700) },
	"rm":       func(_ *wr.Call, w []string) (string, error) { return "", syscall.Unlink(w[0]) },
	"rmdir":    func(_ *wr.Call, w []string) (string, error) { return "", syscall.Rmdir(w[0]) },
	"mv":       func(_ *wr.Call, w []string) (string, error) { return "", os.Rename(w[0], w[1]) },
	"link":     func(_ *wr.Call, w []string) (string, error) { return "", os.Link(w[0], w[1]) },
	"symlink":  func(_ *wr.Call, w []string) (string, error) { return "", os.Symlink(w[0], w[1]) },
	"touch": func(_ *wr.Call, w []string) (string, error) {
		return "", os.Chtimes(w[0], time.Unix(1, 0), time.Unix(1, 0))
	},
	"race": race,
	"deep": deep,
	"env":  func(*wr.Call, []string) (string, error) { return fmt.Sprint(os.Environ(), os.Args), nil },

	"loop":    func(*wr.Call, []string) (string, error) { return loop(1), nil },
	"recurse": func(*wr.Call, []string) (string, error) { return strconv.Itoa(recurse(0)), nil },
	"sleep":   func(*wr.Call, []string) (string, error) { time.Sleep(time.Hour); return "awake", nil },
	"wait": func(*wr.Call, []string) (string, error) {
		for { // also where the host has something to say
			if _, err := os.Stdin.Read(make([]byte, 1)); err != nil {
				return "", err
			}
		}
	},
	"hoard": func(*wr.Call, []string) (string, error) {
		for {
			sink = append(sink, make([]byte, 1<<20))
		}
	},
	"fill": func(_ *wr.Call, w []string) (string, error) { // writes to a file without end
		f, err := os.Create(w[0])
		if err != nil {
			return "", err
		}
		for total := 0; ; {
			n, err := f.Write(make([]byte, 1<<20))
			if total += n; err != nil {
				return strconv.Itoa(total >> 20), err
			}
		}
	},

	"say": func(_ *wr.Call, w []string) (string, error) { say(strings.Join(w, " ")); return "said", nil },
	"raw": func(_ *wr.Call, w []string) (string, error) {
		line, err := strconv.Unquote(w[0])
		say(line)
		return "said", err
	},
	"flood": flood,
	"line":  line,
	"ask":   ask,
	"asks":  asks,
	"notes": func(c *wr.Call, w []string) (string, error) {
		n, _ := strconv.Atoi(w[0])
		for range n {
			if err := c.Log("info", "%s", strings.Repeat("x", 100)); err != nil {
				return "", err
			}
		}
		return "said", nil
	},
	"log": func(c *wr.Call, w []string) (string, error) {
		text, err := strconv.Unquote(strings.Join(w, " "))
		if err == nil {
			err = c.Log("error", "%s", text)
		}
		return "said", err
	},
	"nest": func(_ *wr.Call, w []string) (string, error) { // an answer as deep as it is long
		n, err := strconv.Atoi(w[0])
		say(`{"jsonrpc":"2.0","id":2,"result":{"diagnostics":` + strings.Repeat("[", n) + strings.Repeat("]", n) + "}}")
		return "said", err
	},
	"many": func(_ *wr.Call, w []string) (string, error) { // an answer of many small things
		n, err := strconv.Atoi(w[0])
		say(`{"jsonrpc":"2.0","id":2,"result":{"diagnostics":[` + strings.Repeat(w[1]+",", n) + w[1] + "]}}")
		return "said", err
	},
}

// race reads a file over and over, until it was there and away again so many
// times, and says what it held.
func race(_ *wr.Call, w []string) (string, error) {
	n, err := strconv.Atoi(w[1])
	seen := map[string]bool{}
	for was := false; n > 0; {
		b, err := os.ReadFile(w[0])
		if err == nil {
			seen[string(b)] = true
		}
		if is := err == nil; is != was {
			was = is
			n--
		}
	}
	return fmt.Sprint(slices.Sorted(maps.Keys(seen))), err
}

// deep goes down as far as it can, by names of the directory that it is in.
func deep(_ *wr.Call, w []string) (string, error) {
	at := w[0]
	for i := 0; ; i++ {
		if _, err := os.Stat(at); err != nil {
			return strconv.Itoa(i), err
		}
		at += "/d"
	}
}

//go:noinline
func loop(n int) string {
	for {
		n = n*3 + 1
		if n == 0 && len(sink) > 1 { // never
			return "done"
		}
	}
}

//go:noinline
func recurse(n int) int {
	var pad [1 << 10]byte
	pad[n%len(pad)] = byte(n)
	return recurse(n+1) + int(pad[(n*7)%len(pad)])
}

// flood writes lines that are messages for a host that listens.
func flood(_ *wr.Call, w []string) (string, error) {
	text := strings.Repeat("x", 1<<20)
	for {
		if _, err := fmt.Fprintf(wire, `{"jsonrpc":"2.0","method":"log","params":{"level":"debug","message":"%s"}}`+"\n", text); err != nil {
			return "", err
		}
	}
}

// line writes one line of so many MiB.
func line(_ *wr.Call, w []string) (string, error) {
	n, err := strconv.Atoi(w[0])
	part := []byte(strings.Repeat("x", 1<<20))
	for range n {
		if _, err := wire.Write(part); err != nil {
			return "", err
		}
	}
	say("")
	return "said", err
}

// ask asks the host for something so many times, and says what it got last.
func ask(c *wr.Call, w []string) (string, error) {
	n, err := strconv.Atoi(w[0])
	if err != nil {
		return "", err
	}
	for range n {
		switch w[1] {
		case "hash":
			_, err = c.Hash("**")
		case "secret":
			_, err = c.Secret("TOKEN")
		case "http":
			_, err = c.HTTP(abi.HTTPParams{Method: "GET", URL: w[2]})
		case "exec":
			_, err = c.Exec(abi.ExecParams{Argv: w[2:]})
		case "git":
			_, err = c.Git()
		case "cache":
			_, _, err = c.CacheGet("x")
		}
	}
	return "asked", err
}

// asks asks the host without ever reading an answer.
func asks(_ *wr.Call, w []string) (string, error) {
	n, err := strconv.Atoi(w[0])
	for i := range n {
		say(fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"hash","params":{"globs":["**"]}}`, i+1))
	}
	return "asked", err
}
