package capability

import (
	"slices"
	"strings"

	"github.com/wr-build/wr/host/plugin/scope"
	"github.com/wr-build/wr/sdk/go/abi"
)

// maxAlternatives is into how many globs one with {a,b} is taken apart; one of
// more is covered by itself and by ** alone.
const maxAlternatives = 64

// Covers says that whoever has wide has all of narrow. Wide may be a bound, as
// CheckBound takes it. Where that is hard to tell of two globs, it is not so.
func Covers(wide, narrow abi.Capability) bool {
	switch {
	case wide.Name != narrow.Name:
		return false
	case wide.Value == "" || wide.Value == narrow.Value:
		return true
	case wide.Name == abi.CapRead:
		return coversGlob(wide.Value, narrow.Value) && !bares(wide.Value, narrow.Value)
	case wide.Name == abi.CapOut:
		return wide.Value == "." || strings.HasPrefix(narrow.Value, wide.Value+"/")
	}
	return wildcard([]rune(wide.Value), []rune(narrow.Value), '*', func(w, n rune) bool { return w == n }, func(n rune) bool {
		return !strings.ContainsRune(" @/:", n) // a star stays in its part
	})
}

// Allows says that granted lets a plugin do one thing: with CapRead, read the
// file with that path; with CapOut, write it.
func Allows(granted, one abi.Capability) bool {
	if one.Name == abi.CapOut && Reserved(one.Value) {
		return false
	}
	if granted.Name == abi.CapRead && one.Name == abi.CapRead {
		shown, err := scope.New([]string{granted.Value})
		return err == nil && shown.File(one.Value)
	}
	return Covers(granted, one)
}

// coversGlob says that each path that narrow matches is matched by wide.
func coversGlob(wide, narrow string) bool {
	if wide == "**" {
		return true
	}
	wides, narrows := alternatives(wide), alternatives(narrow)
	if wides == nil || narrows == nil {
		return false
	}
	return !slices.ContainsFunc(narrows, func(n string) bool {
		return !slices.ContainsFunc(wides, func(w string) bool {
			anything := func(string) bool { return true }
			return wildcard(strings.Split(w, "/"), strings.Split(n, "/"), "**", coversPart, anything)
		})
	})
}

// bares says that narrow shows a secret that wide, though it matches it, does not:
// one that narrow names without wildcards.
func bares(wide, narrow string) bool {
	names, last := strings.Split(narrow, "/"), 0
	for i, name := range names {
		if strings.ContainsAny(name, "*?[{") {
			break
		}
		if scope.Secret(name) {
			last = i + 1
		}
	}
	return last > 0 && !strings.HasPrefix(wide+"/", strings.Join(names[:last], "/")+"/")
}

// coversPart says that a part of a path as wide has it covers one of narrow.
// Signs of narrow that stand for others are covered by the same or by a *.
func coversPart(wide, narrow string) bool {
	switch {
	case narrow == "**":
		return false
	case wide == narrow || wide == "*":
		return true
	case strings.Contains(wide+narrow, "["):
		return false
	}
	one := func(w, n rune) bool { return w == n && n != '*' || w == '?' && n != '*' }
	return wildcard([]rune(wide), []rune(narrow), '*', one, func(rune) bool { return true })
}

// alternatives are the globs without braces that a glob stands for; nil = there
// are too many, or a class of characters may hide some.
func alternatives(glob string) []string {
	open := strings.IndexByte(glob, '{')
	if open < 0 {
		return []string{glob}
	}
	if strings.Contains(glob, "[") {
		return nil
	}
	var all []string
	depth, from := 0, open+1
	for i := open; i < len(glob); i++ {
		switch c := glob[i]; {
		case c == '{':
			depth++
		case depth == 1 && (c == ',' || c == '}'):
			rest := alternatives(glob[:open] + glob[from:i] + glob[closing(glob, open)+1:])
			if all = append(all, rest...); rest == nil || len(all) > maxAlternatives {
				return nil
			}
			if from = i + 1; c == '}' {
				return all
			}
		case c == '}':
			depth--
		}
	}
	return nil
}

// closing is where the brace at open is closed.
func closing(glob string, open int) int {
	depth := 0
	for i := open; i < len(glob); i++ {
		switch glob[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return len(glob) - 1
}

// wildcard matches narrow against wide, in which each star stands for any number
// of what may be skipped. Only the last star is ever tried again: what the ones
// before it took can stay as it is.
func wildcard[T comparable](wide, narrow []T, star T, covers func(w, n T) bool, skip func(n T) bool) bool {
	w, n, last, resume := 0, 0, -1, 0
	for n < len(narrow) {
		switch {
		case w < len(wide) && wide[w] == star:
			last, resume = w, n
			w++
		case w < len(wide) && covers(wide[w], narrow[n]):
			w, n = w+1, n+1
		case last >= 0 && skip(narrow[resume]):
			resume++
			w, n = last+1, resume
		default:
			return false
		}
	}
	for w < len(wide) && wide[w] == star {
		w++
	}
	return w == len(wide)
}
