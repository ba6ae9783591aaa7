package cli

import "testing"

func TestARepositoryIsANameWithoutTagAndDigest(t *testing.T) {
	const digest = "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	for ref, want := range map[string]string{
		"wr.local/acme/web:key":            "wr.local/acme/web",
		"wr.local/acme/web" + digest:       "wr.local/acme/web",
		"wr.local/acme/web:key" + digest:   "wr.local/acme/web",
		"localhost:5000/acme/web:in-1":     "localhost:5000/acme/web",
		"localhost:5000/acme/web" + digest: "localhost:5000/acme/web",
		"localhost:5000/acme/web":          "localhost:5000/acme/web",
		"debian":                           "debian",
		"debian:12":                        "debian",
	} {
		if got := repository(ref); got != want {
			t.Errorf("of %s: got %s, want %s", ref, got, want)
		}
	}
}
