package cli

import (
	"slices"
	"strings"
	"testing"

	"github.com/wr-build/wr/host/config"
)

func TestWhatIsTypedAfterATaskIsCompletedByItsArguments(t *testing.T) {
	args := []config.Arg{
		{Name: "to", Type: config.ArgChoice, Choices: []string{"dev", "prod"}, Required: true},
		{Name: "log_level", Type: config.ArgChoice, Choices: []string{"debug", "warn"}},
		{Name: "all", Type: config.ArgBool},
		{Name: "speed", Type: config.ArgChoice, Choices: []string{"fast"}, Required: true},
		{Name: "text"},
	}
	const every = "--all --log-level --text --help"
	for typed, want := range map[string]string{
		"":                     "dev prod",
		"dev ":                 "fast",
		"dev fast ":            "",
		"dev fast more ":       "",
		"--all ":               "dev prod",
		"--log-level ":         "debug warn",
		"--log-level -":        "debug warn",
		"--log-level debug ":   "dev prod",
		"--log-level=debug ":   "dev prod",
		"--text dev ":          "dev prod",
		"--text --all --log":   every,
		"dev --log-level=":     "--log-level=debug --log-level=warn",
		"--text=":              "",
		"--unknown=":           "",
		"--unknown ":           "dev prod",
		"-":                    every,
		"dev --":               every,
		"dev --log-level warn": "debug warn",
	} {
		t.Run(typed, func(t *testing.T) {
			words, last := completed("wr "+typed, "")
			got := callOptions(args, words, last)
			if !slices.Equal(got, strings.Fields(want)) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}
