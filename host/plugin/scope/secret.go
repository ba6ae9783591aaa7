package scope

import (
	"path"
	"slices"
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Secrets are the patterns of names that look like secrets, in lower case; names
// are compared without regard to case. docs/plugins/sandbox.md lists them and says
// which of them leave source code alone.
func Secrets() []string { return slices.Concat(places, names, stems, keys) }

// places are directories whose content is hidden with them, and files, that hold
// what a program, or wr, keeps for itself.
var places = []string{
	".git", ".hg", ".svn", ".wr",
	".ssh", ".gnupg", ".aws", ".azure", ".gcloud", ".kube", ".docker", ".password-store",
	".netrc", "_netrc", ".npmrc", ".yarnrc.yml", ".pypirc", "pip.conf", "pip.ini", ".dockercfg", ".pgpass", ".my.cnf",
	".htpasswd", ".git-credentials", ".vault-token", ".terraformrc", ".terraform.d", "kubeconfig",
}

// names are wildcards, with one star each.
var names = []string{
	".env*", "*.env",
	"*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdbx", "*.ppk", "*.kubeconfig", "*.tfvars", "*.tfstate", "*.tfstate.backup",
	"id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", "id_xmss*",
	"client_secret*.json", "service-account*.json", "service_account*.json",
}

// stems are names that look like secrets where the extension is one of data, or
// there is none: to hide source code would mean that nobody lints it.
var stems = []string{"credentials*", ".credentials*", "secrets*", ".secrets*"}

// keys are names that look like secrets where there is no extension.
var keys = []string{"id_*"}

// data are extensions of files that hold values.
var data = []string{"", ".json", ".yaml", ".yml", ".toml", ".ini", ".cfg", ".conf", ".xml", ".csv", ".txt", ".properties", ".env", ".db", ".bak", ".enc"}

// Secret reports whether a path looks like that of a secret: by its own name, or
// by that of a directory above.
func Secret(name string) bool { return secretParts(name) > 0 }

// secretParts is how many names of a path have to be spelled out for it to be
// shown: all up to the last that looks like a secret.
func secretParts(name string) int {
	last, n := 0, 0
	for part := range strings.SplitSeq(name, "/") {
		n++
		if secretName(part) {
			last = n
		}
	}
	return last
}

// secretName reports whether a single name looks like a secret.
func secretName(name string) bool {
	name = fold(name)
	if name == "" || !firsts[name[0]] && !lasts[path.Ext(name)] {
		return false
	}
	return slices.Contains(places, name) || matchAny(namesStars, name) ||
		matchAny(stemsStars, name) && slices.Contains(data, path.Ext(name[1:])) ||
		matchAny(keysStars, name) && path.Ext(name) == ""
}

// star is a pattern with one star, taken apart.
type star struct{ before, after string }

var namesStars, stemsStars, keysStars = stars(names), stars(stems), stars(keys)

// firsts are the first bytes of all names that look like secrets, except of those
// that have one of the extensions lasts. They spare most names the patterns.
var firsts, lasts = edges()

func edges() (first [256]bool, last map[string]bool) {
	last = map[string]bool{}
	for _, p := range Secrets() {
		if p[0] == '*' {
			last[path.Ext(p)] = true
		} else {
			first[p[0]] = true
		}
	}
	return first, last
}

func stars(patterns []string) []star {
	var list []star
	for _, p := range patterns {
		before, after, _ := strings.Cut(p, "*")
		list = append(list, star{before, after})
	}
	return list
}

// matchAny reports whether one of the patterns matches a name.
func matchAny(patterns []star, name string) bool {
	for _, p := range patterns {
		if strings.HasSuffix(name, p.after) && strings.HasPrefix(name, p.before) && len(name) >= len(p.before)+len(p.after) {
			return true
		}
	}
	return false
}

// fold is what names have in common that a file system may take for the same.
// Some ignore case (APFS, NTFS, ext4 where asked to), some normalise, and HFS+
// leaves out what is not seen: ".g<U+200C>it" is ".git" there.
func fold(name string) string {
	if ascii(name) {
		return strings.ToLower(name)
	}
	name = strings.Map(func(r rune) rune {
		if unseen(r) {
			return -1
		}
		return r
	}, name)
	return norm.NFKC.String(cases.Fold().String(norm.NFKC.String(name)))
}

// unseen are the characters that HFS+ leaves out of names when it compares them.
func unseen(r rune) bool {
	switch {
	case r >= 0x200c && r <= 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x206a && r <= 0x206f, r == 0xfeff:
		return true
	}
	return false
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
