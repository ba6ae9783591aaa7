package container

import (
	"reflect"
	"strings"
	"testing"

	"github.com/wr-build/wr/runtime/spec/fault"
)

func TestIdentifyReadsWhatAnImageConfigSays(t *testing.T) {
	known := accounts{
		passwd: []byte("root:x:0:0:root:/root:/bin/sh\napp:x:100:200:App:/srv/app:/bin/sh\nnohome:x:7:7:::/bin/sh\n"),
		group:  []byte("root:x:0:\nstaff:x:50:app\nweb:x:51:app,root\n"),
	}
	for name, c := range map[string]struct {
		accounts accounts
		user     string
		want     Identity
	}{
		"nothing is root":              {known, "", Identity{Name: "root", Home: "/root", Groups: []int{51}}},
		"a name has its groups":        {known, "app", Identity{UID: 100, GID: 200, Name: "app", Home: "/srv/app", Groups: []int{50, 51}}},
		"a number with an entry":       {known, "100", Identity{UID: 100, GID: 200, Name: "app", Home: "/srv/app", Groups: []int{50, 51}}},
		"a group of its own":           {known, "app:staff", Identity{UID: 100, GID: 50, Name: "app", Home: "/srv/app", Groups: []int{}}},
		"a number without an entry":    {known, "1234:99", Identity{UID: 1234, GID: 99, Name: "user", Home: "/tmp", Groups: []int{}}},
		"no user database, root":       {accounts{}, "", Identity{Name: "root", Home: "/root", Groups: []int{}}},
		"no user database, any number": {accounts{}, "1000:1000", Identity{UID: 1000, GID: 1000, Name: "user", Home: "/tmp", Groups: []int{}}},
		"an entry without a home":      {known, "nohome", Identity{UID: 7, GID: 7, Name: "nohome", Home: "/tmp", Groups: []int{}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := c.accounts.identify(c.user)
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %+v, error %v, want %+v", got, err, c.want)
			}
		})
	}
	for _, user := range []string{"nobody-knows", "app:no-such-group", "99999999999", "-1"} {
		if _, err := known.identify(user); !fault.HasCode(err, "image.unknown_user") {
			t.Errorf("%q: got %v", user, err)
		}
	}
}

func TestPasswdGetsAnEntryOnlyWhenItLacksOne(t *testing.T) {
	image := accounts{passwd: []byte("root:x:0:0::/root:/bin/sh")}
	if text, changed := image.passwdWith(Identity{Name: "root"}); changed {
		t.Errorf("root is known, got %q", text)
	}
	text, changed := image.passwdWith(Identity{UID: 12, GID: 34, Name: "user", Home: "/tmp"})
	if want := "root:x:0:0::/root:/bin/sh\nuser:x:12:34::/tmp:/bin/sh\n"; !changed || string(text) != want {
		t.Errorf("got %q, want %q", text, want)
	}
	text, _ = accounts{}.passwdWith(Identity{UID: 12, GID: 34, Name: "user", Home: "/tmp"})
	if strings.Count(string(text), "\n") != 1 {
		t.Errorf("without a passwd file: %q", text)
	}
	if string(image.passwd) != "root:x:0:0::/root:/bin/sh" {
		t.Errorf("the image's own passwd was changed: %q", image.passwd)
	}
}

func FuzzIdentify(f *testing.F) {
	f.Add("root:x:0:0::/root:/bin/sh", "root:x:0:", "root:0")
	f.Fuzz(func(t *testing.T, passwd, group, user string) {
		a := accounts{passwd: []byte(passwd), group: []byte(group)}
		who, err := a.identify(user)
		if err == nil && (who.Name == "" || who.Home == "") {
			t.Errorf("a user without name or home: %+v", who)
		}
	})
}
