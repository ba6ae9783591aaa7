// Command guest does with files what its arguments say, and prints how each went:
// a verb and its operands, separated by spaces.
package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	for _, line := range os.Args[1:] {
		words := strings.Split(line, " ")
		got, err := verbs[words[0]](words[1:])
		if e := syscall.Errno(0); errors.As(err, &e) {
			err = e
		}
		if err != nil {
			got = strings.TrimPrefix(got+" "+err.Error(), " ")
		}
		fmt.Printf("%s: %s\n", line, got)
	}
}

var verbs = map[string]func(w []string) (string, error){
	"read":     func(w []string) (string, error) { b, err := os.ReadFile(w[0]); return string(b), err },
	"stat":     func(w []string) (string, error) { return describe(os.Stat(w[0])) },
	"lstat":    func(w []string) (string, error) { return describe(os.Lstat(w[0])) },
	"ls":       ls,
	"walk":     walk,
	"readlink": func(w []string) (string, error) { return os.Readlink(w[0]) },
	"write":    func(w []string) (string, error) { return "ok", os.WriteFile(w[0], []byte(w[1]), 0o600) },
	"append": func(w []string) (string, error) {
		f, err := os.OpenFile(w[0], os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			return "", err
		}
		_, err = f.WriteString(w[1])
		return "ok", errors.Join(err, f.Close())
	},
	"create": func(w []string) (string, error) {
		f, err := os.OpenFile(w[0], os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err == nil {
			err = f.Close()
		}
		return "ok", err
	},
	"rw": func(w []string) (string, error) {
		f, err := os.OpenFile(w[0], os.O_RDWR, 0)
		if err == nil {
			err = f.Close()
		}
		return "ok", err
	},
	"mkdir":   func(w []string) (string, error) { return "ok", os.Mkdir(w[0], 0o700) },
	"rm":      func(w []string) (string, error) { return "ok", os.Remove(w[0]) },
	"unlink":  func(w []string) (string, error) { return "ok", syscall.Unlink(w[0]) },
	"rmdir":   func(w []string) (string, error) { return "ok", syscall.Rmdir(w[0]) },
	"mv":      func(w []string) (string, error) { return "ok", os.Rename(w[0], w[1]) },
	"symlink": func(w []string) (string, error) { return "ok", os.Symlink(w[0], w[1]) },
	"link":    func(w []string) (string, error) { return "ok", os.Link(w[0], w[1]) },
	"chtimes": func(w []string) (string, error) { return "ok", os.Chtimes(w[0], time.Unix(1, 0), time.Unix(1, 0)) },
	"truncate": func(w []string) (string, error) {
		size, _ := strconv.ParseInt(w[1], 10, 64)
		return "ok", os.Truncate(w[0], size)
	},
	"at": func(w []string) (string, error) { // writes far behind the end
		at, _ := strconv.ParseInt(w[1], 10, 64)
		f, err := os.OpenFile(w[0], os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return "", err
		}
		_, err = f.WriteAt([]byte("x"), at)
		return "ok", errors.Join(err, f.Close())
	},
	"same": func(w []string) (string, error) {
		a, err1 := os.Stat(w[0])
		b, err2 := os.Stat(w[1])
		return strconv.FormatBool(os.SameFile(a, b)), errors.Join(err1, err2)
	},
	"seek": func(w []string) (string, error) { // three bytes from an offset to the end
		n, _ := strconv.ParseInt(w[1], 10, 64)
		f, err := os.Open(w[0])
		if err != nil {
			return "", err
		}
		defer f.Close()
		if _, err := f.Seek(n, io.SeekEnd); err != nil {
			return "", err
		}
		b := make([]byte, 3)
		k, err := f.Read(b)
		return string(b[:k]), err
	},
	"keep": func(w []string) (string, error) { // writes to a file that has no name any more
		f, err := os.Create(w[0])
		if err != nil {
			return "", err
		}
		if err := os.Remove(w[0]); err != nil {
			return "", err
		}
		kept = append(kept, f)
		return "ok", f.Truncate(1 << 20)
	},
	"floodwrite": func(w []string) (string, error) {
		f, err := os.Create(w[0])
		if err != nil {
			return "", err
		}
		defer f.Close()
		b, total := make([]byte, 64<<10), 0
		for {
			n, err := f.Write(b)
			if total += n; err != nil {
				return strconv.Itoa(total), err
			}
		}
	},
	"floodfiles": func(w []string) (string, error) {
		for i := 0; ; i++ {
			if err := os.WriteFile(w[0]+"/"+strconv.Itoa(i), nil, 0o600); err != nil {
				return strconv.Itoa(i), err
			}
		}
	},
	"floodopen": func(w []string) (string, error) {
		for i := 0; ; i++ {
			f, err := os.Open(w[0])
			if err != nil {
				return strconv.Itoa(i), err
			}
			kept = append(kept, f)
		}
	},
	"floodread": func(w []string) (string, error) { // holds a file many times
		for i := 0; i < 100; i++ {
			f, err := os.Open(w[0])
			if err == nil {
				_, err = f.Read(make([]byte, 1))
			}
			if err != nil {
				return strconv.Itoa(i), err
			}
			kept = append(kept, f)
		}
		return "100", nil
	},
	"floodmissing": func(w []string) (string, error) {
		n, _ := strconv.Atoi(w[1])
		for i := range n {
			_, _ = os.Stat(w[0] + strconv.Itoa(i))
		}
		return "ok", nil
	},
	"race": func(w []string) (string, error) { // what it reads, again and again
		n, _ := strconv.Atoi(w[1])
		seen := map[string]bool{}
		for range n {
			if b, err := os.ReadFile(w[0]); err == nil {
				seen[string(b)] = true
			}
		}
		return fmt.Sprint(slices.Sorted(maps.Keys(seen))), nil
	},
	"nest": func(w []string) (string, error) { // a path longer than any, by renaming
		long := strings.Repeat("n", 200)
		for _, top := range []string{w[0] + "/a", w[0] + "/b"} {
			at := top
			for range 15 {
				if err := os.Mkdir(at, 0o700); err != nil {
					return "", err
				}
				at += "/" + long
			}
			if err := os.WriteFile(filepath.Dir(at)+"/f", []byte("f"), 0o600); err != nil {
				return "", err
			}
		}
		return "ok", os.Rename(w[0]+"/a", w[0]+"/b/"+strings.Repeat(long+"/", 14)+"a")
	},
	"deep": func(w []string) (string, error) { // directories in directories, as deep as it goes
		at := w[0]
		for i := 0; ; i++ {
			at += "/d"
			if err := os.Mkdir(at, 0o700); err != nil {
				return strconv.Itoa(i), err
			}
		}
	},
	"close": func([]string) (string, error) {
		for _, f := range kept {
			f.Close()
		}
		kept = nil
		return "ok", nil
	},
}

var kept []*os.File

func describe(info fs.FileInfo, err error) (string, error) {
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s %d %d", info.Mode().Type().String(), info.Size(), info.ModTime().Unix()), nil
}

func ls(w []string) (string, error) {
	entries, err := os.ReadDir(w[0])
	var names []string
	for _, e := range entries {
		names = append(names, e.Name()+e.Type().String()[:1])
	}
	if len(names) > 20 {
		return strconv.Itoa(len(names)), err
	}
	return strings.Join(names, " "), err
}

func walk(w []string) (string, error) {
	files, size := 0, 0
	err := filepath.WalkDir(w[0], func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(name)
		files, size = files+1, size+len(b)
		return err
	})
	return fmt.Sprintf("%d %d", files, size), err
}
