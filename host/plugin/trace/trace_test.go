package trace_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/wr-build/wr/host/plugin/trace"
)

// record is a trace of some facts.
func record(add func(r *trace.Recorder)) trace.Trace {
	r := trace.NewRecorder(trace.Limits{})
	add(r)
	return r.Take()
}

func read(path, content string) (trace.Question, trace.Answer) {
	return trace.Question{Path: path, Kind: trace.Read}, trace.Answer{Sum: sha256.Sum256([]byte(content))}
}

func missing(path string) (trace.Question, trace.Answer) {
	return trace.Question{Path: path, Kind: trace.Stat}, trace.Answer{Failure: trace.Missing}
}

func file(path string, size int64) (trace.Question, trace.Answer) {
	return trace.Question{Path: path, Kind: trace.Stat}, trace.Answer{Type: trace.File, Size: size, Inode: 1 << 63}
}

func TestTheOrderOfQuestionsDoesNotCount(t *testing.T) {
	a := record(func(r *trace.Recorder) {
		r.Add(read("b", "x"))
		r.Add(missing("a"))
		r.Add(file("b", 1))
		r.Add(read("b", "x"))
	})
	b := record(func(r *trace.Recorder) { r.Add(missing("a")); r.Add(file("b", 1)); r.Add(read("b", "x")) })
	if !bytes.Equal(a.Encode(), b.Encode()) || a.Len() != 3 || a.Gap() != "" {
		t.Errorf("got %q and %q", a.Encode(), b.Encode())
	}
	want := []trace.Question{{"a", trace.Stat}, {"b", trace.Read}, {"b", trace.Stat}}
	if got := a.Questions(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestEveryAnswerCounts(t *testing.T) {
	seen := map[string]bool{}
	for _, add := range []func(r *trace.Recorder){
		func(*trace.Recorder) {},
		func(r *trace.Recorder) { r.Add(read("a", "x")) },
		func(r *trace.Recorder) { r.Add(read("a", "y")) },
		func(r *trace.Recorder) { r.Add(missing("a")) },
		func(r *trace.Recorder) { r.Add(missing("b")) },
		func(r *trace.Recorder) { r.Add(file("a", 1)) },
		func(r *trace.Recorder) { r.Add(file("a", 2)) },
		func(r *trace.Recorder) {
			q, a := file("a", 1)
			a.Inode++
			r.Add(q, a)
		},
		func(r *trace.Recorder) {
			q, a := file("a", 1)
			a.Type = trace.Dir
			r.Add(q, a)
		},
		func(r *trace.Recorder) { r.Spoil("no") },
	} {
		seen[string(record(add).Encode())] = true
	}
	if len(seen) != 10 {
		t.Errorf("got %d encodings of 10 traces", len(seen))
	}
}

func TestAFileThatChangesLeavesAGap(t *testing.T) {
	a := record(func(r *trace.Recorder) { r.Add(read("a", "x")) })
	b := record(func(r *trace.Recorder) { r.Add(read("a", "y")) })
	if u := trace.Union(a, b); !strings.Contains(u.Gap(), "a changed") {
		t.Errorf("union: got gap %q", u.Gap())
	}
	within := record(func(r *trace.Recorder) { r.Add(read("a", "x")); r.Add(read("a", "y")) })
	if !strings.Contains(within.Gap(), "a changed") {
		t.Errorf("one trace: got gap %q", within.Gap())
	}
}

func TestAUnionHasWhatAllHave(t *testing.T) {
	a := record(func(r *trace.Recorder) { r.Add(read("a", "x")); r.Add(missing("m")) })
	b := record(func(r *trace.Recorder) { r.Add(read("b", "y")); r.Add(missing("m")); r.Spoil("gone") })
	u := trace.Union(a, b)
	if u.Len() != 3 || u.Gap() != "gone" || a.Len() != 2 {
		t.Errorf("got %d facts, gap %q", u.Len(), u.Gap())
	}
}

func TestTakeBeginsAnew(t *testing.T) {
	r := trace.NewRecorder(trace.Limits{})
	r.Add(read("a", "x"))
	if got := r.Take().Len(); got != 1 {
		t.Errorf("got %d facts, want 1", got)
	}
	r.Add(read("b", "y"))
	if all, since, rest := r.All().Len(), r.Take().Len(), r.Take().Len(); all != 2 || since != 1 || rest != 0 {
		t.Errorf("got %d in all, %d since, %d afterwards, want 2, 1, 0", all, since, rest)
	}
	r.Add(read("a", "z"))
	if gap, all := r.Take().Gap(), r.All().Gap(); gap != "" || !strings.Contains(all, "a changed") {
		t.Errorf("got gap %q since, %q in all", gap, all)
	}
}

func TestWhatIsRecordedIsBounded(t *testing.T) {
	for name, limits := range map[string]trace.Limits{"facts": {Facts: 2}, "bytes": {Bytes: 2}} {
		r := trace.NewRecorder(limits)
		for _, path := range []string{"a", "b", "a", "c"} {
			r.Add(missing(path))
		}
		if got := r.Take(); got.Len() != 2 || !strings.Contains(got.Gap(), "more than 2") {
			t.Errorf("%s: got %d facts, gap %q", name, got.Len(), got.Gap())
		}
		if name == "bytes" {
			continue
		}
		r.Add(missing("d"))
		r.Take()
		if all := r.All(); all.Len() > 2 || all.Gap() == "" {
			t.Errorf("got %d facts in all, gap %q", all.Len(), all.Gap())
		}
	}
}

func TestQuestionsComeBack(t *testing.T) {
	want := []trace.Question{{".", trace.List}, {"a", trace.Read}, {"a", trace.Target}}
	got, err := trace.DecodeQuestions(trace.EncodeQuestions(want))
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestAnsweredQuestionsAreWrittenAsTheirTrace(t *testing.T) {
	a := record(func(r *trace.Recorder) { r.Add(read("b", "x")); r.Add(missing("a")); r.Add(file("b", 1)) })
	got, err := trace.EncodeAnswered(a.Questions(), func(q trace.Question) (trace.Answer, error) {
		answer, _ := a.Answer(q)
		return answer, nil
	})
	if err != nil || !bytes.Equal(got, a.Encode()) {
		t.Errorf("got %q, %v, want %q", got, err, a.Encode())
	}
	failed := errors.New("disk")
	if _, err := trace.EncodeAnswered(a.Questions(), func(trace.Question) (trace.Answer, error) { return trace.Answer{}, failed }); err != failed {
		t.Errorf("got %v, want %v", err, failed)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(record(func(r *trace.Recorder) { r.Add(read("b", "x")); r.Add(missing("a")); r.Add(file("b", 1)) }).Encode())
	f.Add(trace.Union().Encode())
	f.Add([]byte{1, 0, 0xff, 0xff, 0xff, 0xff, 0x7f})
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, err := trace.Decode(b); err == nil && !bytes.Equal(got.Encode(), b) {
			t.Errorf("%q is written as %q", b, got.Encode())
		}
		if got, err := trace.DecodeQuestions(b); err == nil && !bytes.Equal(trace.EncodeQuestions(got), b) {
			t.Errorf("%q is written as %q", b, trace.EncodeQuestions(got))
		}
	})
}

func TestATraceWithoutSomeQuestions(t *testing.T) {
	r := trace.NewRecorder(trace.Limits{})
	a, b := trace.Question{Path: "a", Kind: trace.Read}, trace.Question{Path: "b", Kind: trace.Read}
	r.Add(a, trace.Answer{Size: 1})
	r.Add(b, trace.Answer{Size: 2})
	r.Spoil("odd")
	whole := r.Take()
	less := whole.Without(func(q trace.Question) bool { return q == b })
	if got := less.Questions(); len(got) != 1 || got[0] != a || less.Gap() != "odd" {
		t.Errorf("got %v, %q", got, less.Gap())
	}
	if answer, ok := less.Answer(a); !ok || answer.Size != 1 || whole.Len() != 2 {
		t.Errorf("got %v, and %d are left of the whole", answer, whole.Len())
	}
}
