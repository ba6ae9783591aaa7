package fault

import "strings"

// Closest returns the candidate nearest to name by edit distance, else the only one
// that begins with it, or "" when none is near enough to be worth suggesting.
func Closest(name string, candidates []string) string {
	best, bestDistance := "", max(2, len(name)/3)+1
	longer := map[string]bool{}
	for _, c := range candidates {
		if d := distance(name, c); d < bestDistance {
			best, bestDistance = c, d
		}
		if name != "" && strings.HasPrefix(c, name) {
			longer[c] = true
		}
	}
	if best == "" && len(longer) == 1 {
		for c := range longer {
			best = c
		}
	}
	return best
}

// distance is the Levenshtein distance of a and b in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substitute := diagonal
			if a[i] != b[j] {
				substitute++
			}
			diagonal = row[j+1]
			row[j+1] = min(substitute, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
