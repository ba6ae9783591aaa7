package conform

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/wr-build/wr/sdk/go/abi"
)

// Judge says what is wrong with a transcript, line by line. A line of the host
// begins with "> ", one of the plugin with "< ".
func Judge(transcript string) []string {
	r := reader{schemas: schemas{}, open: map[string]method{}}
	var wrong []string
	for number, line := range strings.Split(strings.TrimSpace(transcript), "\n") {
		if err := r.line(line); err != nil {
			wrong = append(wrong, fmt.Sprintf("line %d: %v", number+1, err))
		}
	}
	return wrong
}

// reader reads both sides of a session.
type reader struct {
	schemas schemas
	open    map[string]method // requests without an answer, by who asked and their id
}

func (r *reader) line(line string) error {
	side, text, _ := strings.Cut(line, " ")
	methods, other := asked, "<"
	switch side {
	case "<":
		methods, other = asking, ">"
	case ">":
	default:
		return fmt.Errorf("neither side says %q", line)
	}
	var m abi.Message
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		return err
	}
	if err := r.schemas.judge("Message", json.RawMessage(text)); err != nil {
		return err
	}
	if m.Method == "" {
		return r.reply(other, m)
	}
	shape := methods[m.Method]
	if m.ID != nil {
		r.open[key(side, m)] = shape
	}
	if shape.params == "" { // a method that nobody knows is refused
		return nil
	}
	return r.schemas.judge(shape.params, m.Params)
}

// reply holds an answer against what the other side asked.
func (r *reader) reply(asker string, m abi.Message) error {
	shape, open := r.open[key(asker, m)]
	delete(r.open, key(asker, m))
	switch {
	case !open:
		return errors.New("answers what was not asked")
	case m.Result == nil: // refused, as any request may be
		return nil
	case shape.result == "":
		return errors.New("has a result for a method that nobody knows")
	}
	return r.schemas.judge(shape.result, m.Result)
}

// key names a request: both sides count for themselves.
func key(asker string, m abi.Message) string {
	if m.ID == nil {
		return asker
	}
	return fmt.Sprint(asker, *m.ID)
}
