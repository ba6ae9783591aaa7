package agent

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/wr-build/wr/runtime/spec"
)

func TestRequestSurvivesTheWire(t *testing.T) {
	want := Command{
		Args: []string{"a", "", "\xff\u2028<"}, Env: []string{"K=\x80"}, Dir: "/d\xfe",
		UID: 7, GID: 8, Groups: []int{9, 10}, Terminal: true, Size: spec.Size{Cols: 3, Rows: 4},
	}.request()
	data, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	got, problem := decodeOpening(data)
	if problem != nil || !reflect.DeepEqual(got, &want) {
		t.Errorf("got %+v, %v\nwant %+v", got, problem, want)
	}
}

func FuzzDecodeOpening(f *testing.F) {
	seed, _ := json.Marshal(Command{Args: []string{"a"}, Dir: "/", Groups: []int{1}}.request())
	f.Add(seed)
	f.Add([]byte(`{"version":2,"args":["YQ=="],"dir":"Lw==","uid":-1}`))
	f.Add([]byte(`{"version":2,"isolate":true,"mounts":["L2E="]}`))
	f.Add([]byte(`{"version":2,"query":true}`))
	f.Add([]byte(`{"version":1}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		message, problem := decodeOpening(data)
		if r, ok := message.(*Request); ok {
			problem = r.check(r.files())
		}
		if problem != nil {
			if problem.Code == "" || problem.Message == "" {
				t.Fatalf("an empty fault: %+v", problem)
			}
			return
		}
		if r, ok := message.(*Request); ok && (len(r.Args) == 0 || r.Dir[0] != '/' || r.Version != Version) {
			t.Fatalf("accepted %+v", r)
		}
		again, err := json.Marshal(message)
		if err != nil {
			t.Fatal(err)
		}
		if _, problem := decodeOpening(again); problem != nil {
			t.Fatalf("%s is refused: %v", again, problem)
		}
	})
}
