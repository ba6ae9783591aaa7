package container

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/moby/sys/user"

	"github.com/wr-build/wr/runtime/spec/fault"
)

// homeless is the home directory of a user that the image does not know: the
// one place where every user can write.
const homeless = "/tmp"

// accounts are the user database files of an image; nil when it has none.
type accounts struct {
	passwd, group []byte
}

// identify resolves "", "uid", "uid:gid", "name" or "name:group" as an OCI
// image config spells it.
func (a accounts) identify(name string) (Identity, error) {
	found, err := user.GetExecUser(name, &user.ExecUser{Home: homeless}, reader(a.passwd), reader(a.group))
	if err != nil {
		return Identity{}, unknownUser(name, err)
	}
	id := Identity{UID: found.Uid, GID: found.Gid, Groups: found.Sgids, Home: found.Home}
	id.Name = a.name(id.UID)
	switch {
	case id.Name == "" && id.UID == 0:
		id.Name, id.Home = "root", "/root"
	case id.Name == "":
		id.Name = "user"
	case id.Home == "":
		id.Home = homeless
	}
	return id, nil
}

// name returns the login name of uid, or "".
func (a accounts) name(uid int) string {
	users, err := user.ParsePasswdFilter(bytes.NewReader(a.passwd), func(u user.User) bool { return u.Uid == uid })
	if err != nil || len(users) == 0 {
		return ""
	}
	return users[0].Name
}

// passwdWith returns the passwd file in which id has an entry, and whether
// that differs from the image's own. Why: getpwuid fails without one, and with
// it getpass, pytest's tmp_path and ssh.
func (a accounts) passwdWith(id Identity) ([]byte, bool) {
	if a.name(id.UID) != "" {
		return a.passwd, false
	}
	out := bytes.TrimRight(a.passwd, "\n")
	if len(out) > 0 {
		out = append(bytes.Clone(out), '\n')
	}
	return fmt.Appendf(out, "%s:x:%d:%d::%s:/bin/sh\n", id.Name, id.UID, id.GID, id.Home), true
}

// reader keeps a missing file apart from an empty one, as GetExecUser does.
func reader(b []byte) io.Reader {
	if b == nil {
		return nil
	}
	return bytes.NewReader(b)
}

func unknownUser(name string, err error) error {
	next := "use a uid, or add the user in the Dockerfile"
	if errors.Is(err, user.ErrRange) {
		next = "use a uid between 0 and 2147483647"
	}
	return &fault.Error{
		Code: "image.unknown_user", Class: fault.Usage,
		Message: fmt.Sprintf("the image has no user %q", name), Next: next, Err: err,
	}
}
