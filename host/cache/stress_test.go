package cache_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wr-build/wr/host/cache"
)

// stressEnv makes a process of this test binary one of those that use a cache
// at once: ROLE:SEED:DIR.
const stressEnv = "WR_TEST_CACHE"

func TestMain(m *testing.M) {
	if job := os.Getenv(stressEnv); job != "" {
		os.Exit(stress(job))
	}
	os.Exit(m.Run())
}

const (
	actions    = 200  // keys that the processes share
	leastKills = 6    // of each role
	leastHits  = 2000 // of all roles
)

// made is what action n gives in one of its many right ways: it says of itself
// what it must be.
func made(n int, seed uint64) []byte {
	r := rand.New(rand.NewPCG(uint64(n), seed))
	b := binary.LittleEndian.AppendUint64(nil, uint64(n))
	b = binary.LittleEndian.AppendUint64(b, seed)
	for range r.IntN(100) * r.IntN(20) { // most are small, some are blobs
		b = binary.LittleEndian.AppendUint64(b, r.Uint64())
	}
	return b
}

// isMade reports whether b is right for action n.
func isMade(n int, b []byte) bool {
	return len(b) >= 16 && bytes.Equal(b, made(n, binary.LittleEndian.Uint64(b[8:])))
}

// worker is one of the processes.
type worker struct {
	dir  string
	rand *rand.Rand
	hits int
}

// stress is the process: it says how many hits it had after each round, until
// it is killed or nobody reads it any more. Status 3 = it read something wrong.
func stress(job string) int {
	role, rest, _ := strings.Cut(job, ":")
	seed, dir, _ := strings.Cut(rest, ":")
	n, _ := strconv.ParseUint(seed, 10, 64)
	w := &worker{dir: dir, rand: rand.New(rand.NewPCG(n, 0))}
	round := map[string]func() error{"write": w.write, "read": w.read, "trim": w.trim, "harm": w.harm}[role]
	for {
		err := round()
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", role, err)
			return 3
		}
		if _, err := fmt.Fprintln(os.Stdout, w.hits); err != nil {
			return 0
		}
		w.hits = 0
	}
}

func (w *worker) open() (*cache.Cache, error) {
	return cache.Open(w.dir, cache.Options{MaxBytes: 2 << 20, TrimEvery: time.Millisecond})
}

// write puts results, with outputs and without, and reads some of others.
func (w *worker) write() error {
	c, err := w.open()
	if err != nil {
		return err
	}
	for range 1 + w.rand.IntN(20) {
		n := w.rand.IntN(actions)
		r := cache.Result{Data: made(n, w.rand.Uint64())}
		for range w.rand.IntN(3) {
			d, err := c.PutBlob(made(n, w.rand.Uint64N(50)))
			if err != nil {
				return err
			}
			r.Outputs = append(r.Outputs, cache.Output{Path: strconv.Itoa(n), Digest: d})
		}
		c.PutResult(cache.KeyOf("stress", strconv.Itoa(n)), r)
		if err := w.check(c, w.rand.IntN(actions)); err != nil {
			return err
		}
	}
	return c.Close()
}

func (w *worker) read() error {
	c, err := w.open()
	if err != nil {
		return err
	}
	for n := range actions {
		if err := w.check(c, n); err != nil {
			return err
		}
	}
	return c.Close()
}

// check reads a result with all that belongs to it; what is there must be right.
func (w *worker) check(c *cache.Cache, n int) error {
	r, ok := c.Result(cache.KeyOf("stress", strconv.Itoa(n)))
	if !ok {
		return nil
	}
	if !isMade(n, r.Data) {
		return fmt.Errorf("the result of %d is wrong: %x", n, r.Data)
	}
	w.hits++
	for _, o := range r.Outputs {
		if b, ok := c.Blob(o.Digest); ok && (o.Path != strconv.Itoa(n) || !isMade(n, b)) {
			return fmt.Errorf("the output %s of %d is wrong: %x", o.Path, n, b)
		}
		f, ok := c.OpenBlob(context.Background(), o.Digest)
		if !ok {
			continue
		}
		b, err := io.ReadAll(f)
		if _ = f.Close(); err != nil || !isMade(n, b) {
			return fmt.Errorf("the output %s of %d as a file is wrong: %x, %v", o.Path, n, b, err)
		}
	}
	return nil
}

func (w *worker) trim() error {
	c, err := w.open()
	if err != nil {
		return err
	}
	if _, err := c.Trim(context.Background(), int64(w.rand.IntN(2<<20))); err != nil && !strings.Contains(err.Error(), "another wr") {
		return err
	}
	return c.Close()
}

// harm does what a broken disk would: to the index while others have it open,
// and to a blob while it lies there.
func (w *worker) harm() error {
	blobs, err := filepath.Glob(filepath.Join(w.dir, "v1/cas/*/*"))
	if err != nil || len(blobs) == 0 {
		return err
	}
	blob, damaged := blobs[w.rand.IntN(len(blobs))], filepath.Join(w.dir, "damaged")
	b, err := os.ReadFile(blob)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // somebody trimmed
	}
	if err := errors.Join(err, os.WriteFile(damaged, b, 0o600), w.damage(damaged), os.Rename(damaged, blob)); err != nil {
		return err
	}
	return w.damage(filepath.Join(w.dir, cache.IndexFile))
}

// damage cuts a file off, lengthens it or changes bytes of it.
func (w *worker) damage(file string) error {
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // somebody trimmed
	}
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return err
	}
	at := w.rand.Int64N(info.Size())
	switch w.rand.IntN(4) {
	case 0:
		return f.Truncate(at)
	case 1:
		return f.Truncate(info.Size() + at)
	default:
		_, err = f.WriteAt([]byte{byte(w.rand.Uint32()), byte(w.rand.Uint32())}, at)
		return err
	}
}

// Processes write, read and trim one cache at once, one of them damages it, and
// each is killed again and again.
func TestNothingWrongIsEverRead(t *testing.T) {
	for _, roles := range [][]string{
		{"write", "write", "read", "trim"},
		{"write", "write", "read", "trim", "harm"},
	} {
		t.Run(strings.Join(roles, " "), func(t *testing.T) {
			dir := folder(t)
			done := tallies{each: make([]tally, len(roles))}
			var all sync.WaitGroup
			for i, role := range roles {
				all.Go(func() {
					for seed := uint64(i); !done.enough() && !t.Failed(); seed += 100 {
						done.add(i, one(t, fmt.Sprintf("%s:%d:%s", role, seed, dir), seed))
					}
				})
			}
			all.Wait()
			t.Logf("%v: %+v", roles, done.each)
			left := &worker{dir: dir}
			if err := left.read(); err != nil {
				t.Error(err)
			}
		})
	}
}

// tally is what the processes of a role did.
type tally struct{ kills, rounds, hits int }

type tallies struct {
	mu   sync.Mutex // guards each
	each []tally
}

func (t *tallies) add(role int, more tally) {
	t.mu.Lock()
	defer t.mu.Unlock()
	sum := &t.each[role]
	sum.kills, sum.rounds, sum.hits = sum.kills+more.kills, sum.rounds+more.rounds, sum.hits+more.hits
}

// enough reports whether all that proves something.
func (t *tallies) enough() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	fewest, hits := leastKills, 0
	for _, role := range t.each {
		fewest, hits = min(fewest, role.kills), hits+role.hits
	}
	return fewest >= leastKills && hits >= leastHits
}

// one is the life of a process, which ends at a random moment of a random round.
func one(t *testing.T, job string, seed uint64) tally {
	r := rand.New(rand.NewPCG(seed, 1))
	ctx, kill := context.WithCancel(t.Context())
	defer kill()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), stressEnv+"="+job)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Error(err)
		return tally{}
	}
	if err := cmd.Start(); err != nil {
		t.Error(err)
		return tally{}
	}
	done := tally{kills: 1}
	lines := bufio.NewScanner(out)
	for last := 1 + r.IntN(8); lines.Scan(); {
		hits, _ := strconv.Atoi(lines.Text())
		done.hits += hits
		if done.rounds++; done.rounds == last {
			time.AfterFunc(time.Duration(r.IntN(5000))*time.Microsecond, kill)
		}
	}
	if err := cmd.Wait(); ctx.Err() == nil {
		t.Errorf("%s ended by itself: %v\n%s", job, err, stderr.String())
	}
	return done
}
