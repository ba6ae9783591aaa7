package config

import (
	"strings"
	"testing"
	"time"
)

func TestLimitsAreRead(t *testing.T) {
	got, err := Parse("wr.toml", []byte("[limits]\ncpus = 1.5\nmemory = \"512MB\"\npids = 100\ntimeout = \"10m\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := Limits{CPUs: 1.5, Memory: 512e6, Pids: 100, Timeout: Duration(10 * time.Minute)}
	if got.Limits != want {
		t.Errorf("got %+v, want %+v", got.Limits, want)
	}
}

func TestALimitThatMakesNoSenseSaysWhy(t *testing.T) {
	for line, want := range map[string]string{
		`cpus = 0.001`:      "[limits] cpus: 0.001 is not between",
		`cpus = nan`:        "[limits] cpus: NaN is not between",
		`cpus = inf`:        "[limits] cpus: +Inf is not between",
		`cpus = "2"`:        "[limits] cpus: expected a number, got a string",
		`memory = "much"`:   `[limits] memory: "much" is not a size such as 512MB or 2GiB`,
		`memory = "1MB"`:    "[limits] memory: 1MB is less than 16MiB",
		`memory = 5`:        "[limits] memory: expected a string, got a number",
		`pids = 2`:          "[limits] pids: 2 is less than 32",
		`pids = 1.5`:        "[limits] pids: expected a whole number, got a number",
		`cpus = 0`:          "[limits] cpus: is nothing, which sets no limit; leave cpus out",
		`memory = "0"`:      "[limits] memory: is nothing",
		`pids = 0`:          "[limits] pids: is nothing",
		`timeout = "0s"`:    "[limits] timeout: is nothing",
		`timeout = "soon"`:  `[limits] timeout: "soon" is not a time such as 90s or 10m`,
		`timeout = "-1s"`:   "[limits] timeout: -1s is less than nothing",
		`timeouts = "1s"`:   "unknown key [limits] timeouts",
		`memory = "-512MB"`: `[limits] memory: "-512MB" is not a size`,
	} {
		t.Run(line, func(t *testing.T) {
			_, err := Parse("wr.toml", []byte("[limits]\n"+line+"\n"))
			if err == nil || !strings.HasPrefix(err.Error(), "wr.toml:2: "+want) {
				t.Errorf("got %v, want %q", err, want)
			}
		})
	}
}

func TestSizesMeanWhatTheyAreCalled(t *testing.T) {
	for text, want := range map[string]Size{
		"512MB": 512e6, "2GiB": 2 << 30, "64m": 64e6, "1.5GB": 15e8, "128mib": 128 << 20, "0": 0,
	} {
		t.Run(text, func(t *testing.T) {
			var got Size
			if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
				t.Errorf("got %d, %v, want %d", got, err, want)
			}
			var again Size
			if err := again.UnmarshalText([]byte(got.String())); err != nil || again != got {
				t.Errorf("%q is read back as %d, %v, want %d", got, again, err, got)
			}
		})
	}
}
