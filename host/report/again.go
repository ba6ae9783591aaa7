package report

import "strings"

// Again is the command that tests a case of a project again, or with "" all of
// it, from anywhere in the workspace. "" is that nobody could type it.
func Again(project, id string) string {
	target := Target(project, id)
	if strings.ContainsFunc(target, func(r rune) bool { return r < ' ' }) {
		return ""
	}
	return "wr test " + quoted(target)
}

// Target is how `wr test`, in the workspace's root, is told a case of a project,
// or with "" all of it.
func Target(project, id string) string {
	if id == "" || id == "." {
		return project
	}
	return strings.TrimPrefix(project+"/"+id, "./")
}

// quoted is text as one word of a shell.
func quoted(text string) string {
	harmless := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-./:=,+@%", r)
	}
	if strings.TrimFunc(text, harmless) == "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
