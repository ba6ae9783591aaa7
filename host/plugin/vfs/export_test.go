package vfs

// Counts is what counts towards limits.
type Counts struct {
	Bytes       int64
	Files, Open int
	Held        int64
}

// Counts returns what is counted now.
func (f *FS) Counts() Counts {
	f.mu.Lock()
	defer f.mu.Unlock()
	return Counts{f.bytes, f.files, f.open, f.held}
}

// What notes are made of.
var (
	EncodeFiles = encodeFiles
	EncodeNote  = encodeNote
)
