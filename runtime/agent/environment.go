package agent

import (
	"bufio"
	"errors"
	"io"
	"os"
	"strings"
)

// TellEnvironment is the argument with which wr-agent writes its environment.
const TellEnvironment = "environment"

// maxEnvironment bounds what is read of an environment, in bytes.
const maxEnvironment = 4 << 20

// errNoEnvironment is an environment that was not written, or not to its end.
var errNoEnvironment = errors.New("no environment was told")

// WriteEnvironment writes this process's environment: each variable and then
// an empty text, all with a NUL behind. wr-agent writes to its standard input:
// programs that prepare others leave that alone.
func WriteEnvironment(stdin io.Writer) error {
	_, err := io.WriteString(stdin, strings.Join(append(os.Environ(), "", ""), "\x00"))
	return err
}

// ReadEnvironment reads what WriteEnvironment wrote. It waits for the end of
// that and not of r, which a process in the background may hold open.
func ReadEnvironment(r io.Reader) ([]string, error) {
	texts := bufio.NewReader(io.LimitReader(r, maxEnvironment))
	env := []string{}
	for {
		text, err := texts.ReadString(0)
		if errors.Is(err, io.EOF) {
			return nil, errNoEnvironment
		}
		if err != nil {
			return nil, err
		}
		if text == "\x00" {
			return env, nil
		}
		env = append(env, strings.TrimSuffix(text, "\x00"))
	}
}
