package cli

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/wr-build/wr/host/plugin/call"
)

// veil hides secrets in what is shown of messages, and shows no contents.
type veil struct {
	secrets []string // longest first
}

// hidden stands in place of a secret.
const hidden = "***"

// learn has the secrets of those names hidden, also where they come from a store or
// out of a plugin that got them earlier.
func (v *veil) learn(from *call.Secrets, names []string) {
	for _, name := range names {
		secret, err := from.Get(name)
		if err != nil {
			continue // the plugin does not get it either
		}
		v.secrets = append(v.secrets, secret)
		for part := range strings.Lines(secret) {
			if part = strings.TrimSpace(part); len(part) >= 6 { // a shorter one would hide what is none
				v.secrets = append(v.secrets, part)
			}
		}
	}
	slices.SortFunc(v.secrets, func(a, b string) int { return len(b) - len(a) })
}

func (v *veil) hide(text string) string {
	for _, secret := range v.secrets {
		text = strings.ReplaceAll(text, secret, hidden)
	}
	return text
}

// contents are the fields of messages of which only the size is shown: what is in
// them may be long, encoded, or nobody's business.
var contents = []string{"body", "value", "stdin", "stdout", "stderr", "header", "secrets", "env"}

// plain is a message, or what one is made of, as it may be shown.
func (v *veil) plain(message any) any {
	text, ok := message.(json.RawMessage)
	if !ok {
		var err error
		if text, err = json.Marshal(message); err != nil {
			return err.Error()
		}
	}
	var value any
	if len(text) == 0 || json.Unmarshal(text, &value) != nil {
		return nil
	}
	return v.veiled(value)
}

func (v *veil) veiled(value any) any {
	switch value := value.(type) {
	case string:
		return v.hide(value)
	case []any:
		for i := range value {
			value[i] = v.veiled(value[i])
		}
	case map[string]any:
		shown := map[string]any{}
		for name, field := range value {
			shown[v.hide(name)] = v.field(name, field)
		}
		return shown
	}
	return value
}

func (v *veil) field(name string, value any) any {
	if !slices.Contains(contents, name) {
		return v.veiled(value)
	}
	switch value := value.(type) {
	case nil:
		return nil
	case string:
		return fmt.Sprintf("(%d characters)", len(value))
	case []any:
		return fmt.Sprintf("(%d values)", len(value))
	case map[string]any:
		return fmt.Sprintf("(%d values)", len(value))
	}
	return "(a value)"
}
