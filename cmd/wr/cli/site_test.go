package cli

import (
	"net"
	"os"
	"testing"

	"github.com/wr-build/wr/host/state"
	"github.com/wr-build/wr/runtime/spec"
)

func TestTheSiteOfANotebookStaysTheSame(t *testing.T) {
	c := spec.Container{Labels: map[string]string{"wr.workspace": "/w", "wr.project": "infra"}}
	var first, again site
	for _, s := range []*site{&first, &again} {
		if err := s.choose(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	if first.Port != again.Port || first.Port < firstPort || first.Port >= firstPort+ports {
		t.Errorf("ports %d and %d", first.Port, again.Port)
	}
	if first.Token == again.Token {
		t.Error("two notebooks have one token")
	}
}

func TestAPortInUseIsNoSite(t *testing.T) {
	c := spec.Container{Labels: map[string]string{"wr.workspace": t.TempDir(), "wr.project": "infra"}}
	var wish, got site
	if err := wish.choose(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: wish.Port})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := got.choose(t.Context(), c); err != nil || got.Port == wish.Port {
		t.Errorf("chose %d, which is in use (%v)", got.Port, err)
	}
}

func TestASiteIsKeptForTheCallerAlone(t *testing.T) {
	root := t.TempDir()
	own, err := state.Open(root, spec.Owner{UID: os.Getuid(), GID: os.Getgid()})
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	want := site{Port: 8300, Token: "secret"}
	if err := want.write(own); err != nil {
		t.Fatal(err)
	}
	if got, ok := readSite(own); !ok || got != want {
		t.Errorf("got %+v, %v", got, ok)
	}
	if info, err := own.Stat(siteFile); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("its mode is %v (%v)", info.Mode(), err)
	}
}

func TestADamagedSiteIsNone(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "no token": `{"port":8300}`, "a port of others": `{"port":22,"token":"x"}`, "cut off": `{"port":8300,"tok`,
	} {
		t.Run(name, func(t *testing.T) {
			own, err := state.Open(t.TempDir(), spec.Owner{UID: os.Getuid(), GID: os.Getgid()})
			if err != nil {
				t.Fatal(err)
			}
			defer own.Close()
			if err := own.Write(siteFile, []byte(text)); err != nil {
				t.Fatal(err)
			}
			if got, ok := readSite(own); ok {
				t.Errorf("got %+v", got)
			}
		})
	}
}
