package cli

import "testing"

func TestAColumnTellsWhatFitsAndCountsTheRest(t *testing.T) {
	t.Parallel()
	for want, all := range map[string][]string{
		"":                                      nil,
		"lint **/*.sh; format **/*.sh":          {"lint **/*.sh", "format **/*.sh"},
		"lint **/Dockerfile **/Dockerfile.* +2": {"lint **/Dockerfile **/Dockerfile.* **/*.Dockerfile **/*.dockerfile"},
		"fs.read:a/very/long/directory/of/some/files.py +1": {"fs.read:a/very/long/directory/of/some/files.py and"},
		"fs.read:a/very/long/directory/of/some/files.py":    {"fs.read:a/very/long/directory/of/some/files.py"},
	} {
		if got := brief(all, "; "); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
