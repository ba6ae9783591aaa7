package config

import (
	"fmt"
	"strings"
)

// custom is a type that values of several TOML types fill.
type custom interface {
	fill(value any) bool // false: it is none of them
	describe() string
	schema() map[string]any
}

// Command is what a task runs: a line for a shell, or words.
type Command struct {
	Line  string
	Words []string
}

// Empty reports whether there is nothing to run.
func (c Command) Empty() bool {
	return strings.TrimSpace(c.Line) == "" && (len(c.Words) == 0 || c.Words[0] == "")
}

func (c *Command) fill(value any) bool {
	if line, ok := value.(string); ok {
		c.Line = line
		return !strings.ContainsRune(line, 0)
	}
	list, ok := value.([]any)
	for _, one := range list {
		word, isText := one.(string)
		ok = ok && isText && !strings.ContainsRune(word, 0)
		c.Words = append(c.Words, word)
	}
	return ok
}

func (*Command) describe() string { return "a string or a list of strings" }

func (*Command) schema() map[string]any {
	text := map[string]any{"type": "string"}
	return map[string]any{"anyOf": []any{text, map[string]any{"type": "array", "items": text}}}
}

// Scalar is the text of a string, a whole number, or true or false.
type Scalar struct {
	Text  string
	Given bool // written, though it may be empty
}

func (s *Scalar) fill(value any) bool {
	switch value.(type) {
	case string, int64, bool:
		*s = Scalar{fmt.Sprint(value), true}
		return true
	default:
		return false
	}
}

func (*Scalar) describe() string { return "a string, a whole number, or true or false" }

func (*Scalar) schema() map[string]any {
	var types []any
	for _, name := range []string{"string", "integer", "boolean"} {
		types = append(types, map[string]any{"type": name})
	}
	return map[string]any{"anyOf": types}
}
