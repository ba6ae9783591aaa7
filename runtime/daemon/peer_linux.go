package daemon

import (
	"fmt"
	"net"

	"golang.org/x/sys/unix"

	"github.com/wr-build/wr/runtime/container"
	"github.com/wr-build/wr/runtime/spec"
	"github.com/wr-build/wr/runtime/spec/fault"
)

// peer is the process at the other end of a connection, as the kernel says.
type peer struct {
	pid, uid, gid int
}

// peerOf asks the kernel who connected.
func peerOf(conn *net.UnixConn) (peer, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return peer{}, err
	}
	var cred *unix.Ucred
	var credErr error
	err = raw.Control(func(fd uintptr) {
		cred, credErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if err != nil || credErr != nil {
		return peer{}, fmt.Errorf("peer credentials: %w", firstError(err, credErr))
	}
	return peer{pid: int(cred.Pid), uid: int(cred.Uid), gid: int(cred.Gid)}, nil
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// owner is the peer as owner of containers.
func (p peer) owner() container.Owner { return container.Process(p.pid, p.uid) }

// mayActAs refuses a caller that is not the peer itself. Root says for whom
// it acts: under sudo, for the user who typed the command.
func (p peer) mayActAs(caller spec.Owner) error {
	if p.uid == 0 || caller == (spec.Owner{UID: p.uid, GID: p.gid}) {
		return nil
	}
	return &fault.Error{
		Code:    "engine.caller",
		Message: fmt.Sprintf("user %d:%d may not make containers for user %d:%d", p.uid, p.gid, caller.UID, caller.GID),
		Next:    "run the command as that user, or with sudo",
	}
}

// mayRemove refuses to remove what was made for another user.
func (p peer) mayRemove(c container.Container) error {
	if p.uid == 0 || p.uid == c.Owner.UID {
		return nil
	}
	return &fault.Error{
		Code:    "engine.caller",
		Message: fmt.Sprintf("container %s belongs to user %d", c.ID, c.Owner.UID),
		Next:    "run the command as that user, or with sudo",
	}
}

// mayStop refuses to stop the engine for others than root and whoever runs it.
func (p peer) mayStop(engineUID int) error {
	if p.uid == 0 || p.uid == engineUID {
		return nil
	}
	return &fault.Error{
		Code:    "engine.caller",
		Message: fmt.Sprintf("the engine belongs to user %d", engineUID),
		Next:    "sudo wr engine down",
	}
}
