package sdk_test

import (
	"os"
	"strings"
	"testing"

	sdk "github.com/wr-build/wr/sdk/go"
)

func TestTheModuleIsSaidAsItIs(t *testing.T) {
	text, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	want := "module " + sdk.Module + "\n\ngo " + sdk.GoVersion + "\n"
	if string(text) != want || strings.Contains(string(text), "require") {
		t.Errorf("go.mod is\n%s, want\n%s: plugins depend on nothing else", text, want)
	}
}
