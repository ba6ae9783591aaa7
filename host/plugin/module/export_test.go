package module

// Functions is how many functions of WASI preview 1 are known.
func Functions() int { return len(wasiNames()) }
