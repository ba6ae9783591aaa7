package image

import (
	"bufio"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// aptSource is one suite of one mirror, as apt's configuration lists it.
type aptSource struct {
	uri, suite string
	components []string
	signedBy   string // file, fingerprint or armoured key; "" = apt's own keys
	trusted    bool   // not signed at all, by the user's choice
	optional   bool   // may be missing on the mirror
}

// hostSources reads the sources of packages that etc, usually /etc/apt,
// enables for a suite, its updates and its security fixes.
func hostSources(etc fs.FS, suite string) []aptSource {
	var found []aptSource
	names, _ := fs.Glob(etc, "sources.list.d/*")
	for _, name := range append([]string{"sources.list"}, names...) {
		data, err := fs.ReadFile(etc, name)
		if err != nil {
			continue
		}
		var sources []aptSource
		switch path.Ext(name) {
		case ".list":
			sources = parseOneLine(string(data))
		case ".sources":
			sources = parseStanzas(string(data))
		}
		for _, s := range sources {
			if belongs(s, suite) {
				found = append(found, s)
			}
		}
	}
	return found
}

// belongs reports whether a source may be a part of the distribution's suite.
// Others' sources use its name as well (what they are is in their release
// file), but rarely its main component.
func belongs(s aptSource, suite string) bool {
	return slices.Contains(suiteFamily(suite), s.suite) && slices.Contains(s.components, "main")
}

// suiteFamily are the suites that make up a release.
func suiteFamily(suite string) []string {
	return []string{suite, suite + "-updates", suite + "-security", suite + "/updates"}
}

// parseOneLine parses the one-line format: deb [options] uri suite components.
func parseOneLine(text string) []aptSource {
	var found []aptSource
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		rest, ok := strings.CutPrefix(strings.TrimSpace(strings.ReplaceAll(line, "\t", " ")), "deb ")
		if !ok {
			continue
		}
		var options string
		rest = strings.TrimSpace(rest)
		if strings.HasPrefix(rest, "[") {
			options, rest, _ = strings.Cut(rest[1:], "]")
		}
		words := strings.Fields(rest)
		if len(words) < 3 {
			continue // an exact path: no distribution is laid out like this
		}
		s := aptSource{uri: words[0], suite: words[1], components: words[2:]}
		for option := range strings.FieldsSeq(options) {
			name, value, _ := strings.Cut(option, "=")
			s.option(name, value)
		}
		found = append(found, s)
	}
	return found
}

// parseStanzas parses the deb822 format of sources.list(5).
func parseStanzas(text string) []aptSource {
	var found []aptSource
	for _, stanza := range deb822(text) {
		if slices.Contains([]string{"no", "false", "0", "off"}, strings.ToLower(stanza["enabled"])) {
			continue
		}
		if !slices.Contains(strings.Fields(stanza["types"]), "deb") {
			continue
		}
		for uri := range strings.FieldsSeq(stanza["uris"]) {
			for suite := range strings.FieldsSeq(stanza["suites"]) {
				s := aptSource{uri: uri, suite: suite, components: strings.Fields(stanza["components"])}
				s.option("signed-by", stanza["signed-by"])
				s.option("trusted", stanza["trusted"])
				found = append(found, s)
			}
		}
	}
	return found
}

// option sets one of the options that matter here.
func (s *aptSource) option(name, value string) {
	switch strings.ToLower(name) {
	case "signed-by":
		s.signedBy = strings.TrimSpace(value)
	case "trusted":
		s.trusted = value == "yes"
	}
}

// deb822 parses stanzas of "Name: value" fields. Names become lower case;
// continuation lines keep their line ends and lose their indent, and a line
// of a single dot stands for an empty one.
func deb822(text string) []map[string]string {
	var stanzas []map[string]string
	stanza, field := map[string]string{}, ""
	lines := bufio.NewScanner(strings.NewReader(text + "\n\n"))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		switch {
		case strings.HasPrefix(line, "#"):
		case strings.TrimSpace(line) == "":
			if len(stanza) > 0 {
				stanzas = append(stanzas, stanza)
			}
			stanza, field = map[string]string{}, ""
		case line[0] == ' ' || line[0] == '\t':
			line = strings.TrimSpace(line)
			if line == "." {
				line = ""
			}
			stanza[field] += "\n" + line
		default:
			name, value, _ := strings.Cut(line, ":")
			field = strings.ToLower(strings.TrimSpace(name))
			stanza[field] = strings.TrimSpace(value)
		}
	}
	return stanzas
}
