package engine

import "testing"

func TestGCPolicyKeepsAReserveAndAShareOfTheDisk(t *testing.T) {
	const gib = 1 << 30
	tests := []struct {
		name                    string
		total                   int64
		reserved, most, minFree int64
	}{
		{"a laptop", 500 * gib, 5 * gib, 100 * gib, 25 * gib},
		{"a small disk", 10 * gib, 2 * gib, 2 * gib, gib / 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for i, rule := range policyFor(tt.total)[1:] {
				if rule.ReservedSpace != tt.reserved || rule.MaxUsedSpace != tt.most || rule.MinFreeSpace != tt.minFree {
					t.Errorf("rule %d: got %+v", i+1, rule)
				}
			}
		})
	}
	rules := policyFor(500 * gib)
	if len(rules) != 4 || len(rules[0].Filter) == 0 || !rules[3].All {
		t.Errorf("got %+v", rules)
	}
}
