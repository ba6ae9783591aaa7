package pyscan

// Fnmatch is Python's fnmatch.fnmatchcase.
func Fnmatch(pattern, name string) bool { return fnmatch(pattern).MatchString(name) }

// ParseIni reads sections as iniconfig does; nil is for what it refuses.
func ParseIni(text string) map[string]map[string]string {
	all, fault := parseIni(text)
	if fault != nil {
		return nil
	}
	return all
}

// Number is the text of a number, or "".
func Number(literal string) string { return number(literal, "").text }
