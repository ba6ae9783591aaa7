package config

import "testing"

func TestThePolicySaysWhoMayBuild(t *testing.T) {
	listed := Policy{Build: "deny", Builders: []string{"ada", "@devops"}}
	for name, tt := range map[string]struct {
		policy Policy
		names  []string
		want   bool
	}{
		"everybody by default":            {Policy{}, nil, true},
		"everybody when it is said":       {Policy{Build: "allow", Builders: []string{"ada"}}, []string{"bob"}, true},
		"nobody":                          {Policy{Build: "deny"}, []string{"ada"}, false},
		"a listed user":                   {listed, []string{"ada", "@users"}, true},
		"a user of a listed group":        {listed, []string{"bob", "@users", "@devops"}, true},
		"a user called as a listed group": {listed, []string{"devops"}, false},
		"a group called as a listed user": {listed, []string{"bob", "@ada"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := tt.policy.MayBuild(tt.names); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
