package engine

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
)

// fakeServer is a BuildKit with no service of its own.
type fakeServer struct{ closed atomic.Bool }

func (f *fakeServer) Register(*grpc.Server) {}
func (f *fakeServer) Close() error          { f.closed.Store(true); return nil }

// check calls the health service on a connection of its own.
func check(ctx context.Context, socket string) error {
	conn, err := grpc.NewClient("unix://"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = healthv1.NewHealthClient(conn).Check(ctx, &healthv1.HealthCheckRequest{})
	return err
}

// lazy serves mk on a socket until the test ends.
func lazy(t *testing.T, mk func(context.Context) (buildServer, error)) (*builds, string) {
	t.Helper()
	socket := testDirs(t).BuildkitSocket()
	l, err := listen(socket, access{gid: -1})
	if err != nil {
		t.Fatal(err)
	}
	b := newBuilds(t.Context(), l, mk)
	t.Cleanup(func() { b.close(time.Second) })
	return b, socket
}

func TestBuildKitIsMadeOnceAtTheFirstConnection(t *testing.T) {
	var made atomic.Int64
	server := new(fakeServer)
	b, socket := lazy(t, func(context.Context) (buildServer, error) {
		made.Add(1)
		return server, nil
	})
	if n := made.Load(); n != 0 {
		t.Fatalf("made %d times before anybody connected", n)
	}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if err := check(t.Context(), socket); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := made.Load(); n != 1 {
		t.Errorf("made %d times for 20 connections", n)
	}
	b.close(time.Second)
	if !server.closed.Load() {
		t.Error("not closed")
	}
	if err := check(t.Context(), socket); err == nil {
		t.Error("answers after close")
	}
}

func TestABuildKitThatCannotStartSaysWhyAndIsTriedAgain(t *testing.T) {
	var broken atomic.Bool
	broken.Store(true)
	_, socket := lazy(t, func(context.Context) (buildServer, error) {
		if broken.Load() {
			return nil, errors.New("the disk is made of cheese")
		}
		return new(fakeServer), nil
	})
	for range 2 {
		if err := check(t.Context(), socket); err == nil || !strings.Contains(err.Error(), "made of cheese") {
			t.Errorf("got %v, want the reason", err)
		}
	}
	broken.Store(false)
	if err := check(t.Context(), socket); err != nil {
		t.Errorf("not tried again: %v", err)
	}
}

func TestCloseDoesNotWaitForARefusedClient(t *testing.T) {
	b, socket := lazy(t, func(context.Context) (buildServer, error) { return nil, errors.New("no") })
	conn, err := grpc.NewClient("unix://"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := healthv1.NewHealthClient(conn).Check(t.Context(), &healthv1.HealthCheckRequest{}); err == nil {
		t.Fatal("got an answer")
	}
	b.close(time.Second)
}

// exhausted is a listener that has no descriptor left for its first connections.
type exhausted struct {
	net.Listener
	fails atomic.Int64
}

// Accept implements net.Listener.
func (e *exhausted) Accept() (net.Conn, error) {
	if e.fails.Add(-1) >= 0 {
		return nil, &net.OpError{Op: "accept", Err: syscall.EMFILE}
	}
	return e.Listener.Accept()
}

func TestBuildKitAnswersAgainAfterDescriptorsRanOut(t *testing.T) {
	socket := testDirs(t).BuildkitSocket()
	l, err := listen(socket, access{gid: -1})
	if err != nil {
		t.Fatal(err)
	}
	e := &exhausted{Listener: l}
	e.fails.Store(2)
	b := newBuilds(t.Context(), e, func(context.Context) (buildServer, error) { return new(fakeServer), nil })
	defer b.close(time.Second)
	if err := check(t.Context(), socket); err != nil {
		t.Error(err)
	}
}
