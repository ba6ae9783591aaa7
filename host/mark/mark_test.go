package mark_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/wr-build/wr/host/mark"
)

func TestAnExpressionMeansWhatPytestMeansByIt(t *testing.T) {
	for text, cases := range map[string]map[string]bool{
		"slow":                  {"slow": true, "slow gpu": true, "": false, "slower": false},
		"not slow":              {"slow": false, "": true, "gpu": true},
		"not slow and not gpu":  {"": true, "slow": false, "gpu": false, "slow gpu": false},
		"slow or gpu and db":    {"slow": true, "gpu": false, "gpu db": true, "db": false},
		"(slow or gpu) and db":  {"slow": false, "slow db": true, "gpu db": true},
		"not (slow or gpu)":     {"": true, "slow": false, "gpu": false},
		"not not slow":          {"slow": true, "": false},
		" io-bound\tand a.b:c ": {"io-bound a.b:c": true, "io-bound": false},
	} {
		e, err := mark.Parse(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		for marks, want := range cases {
			if got := e.Match(strings.Fields(marks)); got != want {
				t.Errorf("%q of %q: %t, want %t", text, marks, got, want)
			}
		}
		survives(t, e, cases)
	}
}

// survives checks that an expression means the same after a round trip.
func survives(t *testing.T, e mark.Expr, cases map[string]bool) {
	t.Helper()
	data, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	var back mark.Expr
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatalf("%s: %v", data, err)
	}
	for marks, want := range cases {
		if got := back.Match(strings.Fields(marks)); got != want {
			t.Errorf("%s, written %q, of %q: %t, want %t", data, back, marks, got, want)
		}
	}
	again, err := mark.Parse(back.String())
	if err != nil {
		t.Fatalf("%s is written as %q: %v", data, back, err)
	}
	if second, _ := json.Marshal(again); string(second) != string(data) {
		t.Errorf("%s is written as %q, which is %s", data, back, second)
	}
}

func TestWhatIsNoExpressionSaysWhy(t *testing.T) {
	for text, want := range map[string]string{
		"":               "ends too early",
		"slow and":       "ends too early",
		"and slow":       `unexpected "and"`,
		"slow gpu":       `unexpected "gpu"`,
		"(slow":          "a ) is missing",
		"slow)":          `unexpected ")"`,
		"not":            "ends too early",
		"slow & gpu":     `cannot read " & gpu"`,
		"device(name=1)": `unexpected "("`,
	} {
		if _, err := mark.Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	for _, data := range []string{`1`, `[]`, `["not"]`, `["not","a","b"]`, `["xor","a","b"]`, `[1,"a"]`, `["and",1,"a"]`} {
		var e mark.Expr
		if err := json.Unmarshal([]byte(data), &e); err == nil {
			t.Errorf("%s was read as %q", data, e)
		}
	}
}

func TestNoExpressionMeansNoTest(t *testing.T) {
	var e mark.Expr
	if !e.IsZero() || e.Match([]string{"slow"}) || e.Match(nil) {
		t.Error("the zero value means something")
	}
	data, err := json.Marshal(e)
	if err != nil || string(data) != "null" {
		t.Errorf("written as %s, %v", data, err)
	}
	if err := json.Unmarshal(data, &e); err != nil || !e.IsZero() {
		t.Errorf("read as %v, %v", e, err)
	}
}
