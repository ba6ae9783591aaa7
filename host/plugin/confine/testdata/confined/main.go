// Command confined confines itself by the rules in its first argument, on a system that
// lacks what its other arguments name, tries things and prints as JSON how each of
// them went.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/wr-build/wr/host/plugin/confine"
	"github.com/wr-build/wr/host/plugin/confine/confinetest"
)

func main() {
	var rules confine.Rules
	if err := json.Unmarshal([]byte(os.Args[1]), &rules); err != nil {
		panic(err)
	}
	if len(os.Args) > 2 {
		if err := confinetest.Without(os.Args[2:]...); err != nil {
			panic(err)
		}
	}
	lacking := confine.Lacking()
	facts, err := confine.Enter(rules)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	result := map[string]string{"lacking": fmt.Sprint(facts.Lacking())}
	if fmt.Sprint(lacking) != result["lacking"] {
		panic(fmt.Sprint("before it was confined it had said that it lacks ", lacking))
	}
	for what, try := range tries(rules) {
		result[what] = "works"
		if err := try(); err != nil {
			result[what] = err.Error()
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		panic(err)
	}
}

func tries(rules confine.Rules) map[string]func() error {
	all := map[string]func() error{
		"reserve much": func() error {
			_, err := syscall.Mmap(-1, 0, int(rules.Address)+1<<20, syscall.PROT_NONE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
			return err
		},
		"reserve little": func() error {
			_, err := syscall.Mmap(-1, 0, 1<<20, syscall.PROT_NONE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
			return err
		},
		"open many":      func() error { return openMany(rules) },
		"read elsewhere": func() error { _, err := os.ReadFile("/etc/passwd"); return err },
		"socket": func() error {
			fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
			if err == nil {
				err = syscall.Close(fd)
			}
			return err
		},
	}
	for _, dir := range rules.Read {
		all["read"] = func() error { _, err := os.ReadFile(filepath.Join(dir, "file")); return err }
		all["write what is to be read"] = func() error { return os.WriteFile(filepath.Join(dir, "file"), nil, 0o600) }
	}
	if rules.Write != "" {
		all["write"] = func() error { return os.WriteFile(filepath.Join(rules.Write, "new"), []byte("x"), 0o600) }
		all["rename"] = func() error {
			return os.Rename(filepath.Join(rules.Write, "file"), filepath.Join(rules.Write, "renamed"))
		}
	}
	return all
}

// openMany opens one file more than it may, and closes them again.
func openMany(rules confine.Rules) error {
	var open []*os.File
	defer func() {
		for _, f := range open {
			f.Close()
		}
	}()
	for range rules.Files + 1 {
		f, err := os.Open(rules.Read[0])
		if err != nil {
			return err
		}
		open = append(open, f)
	}
	return nil
}
