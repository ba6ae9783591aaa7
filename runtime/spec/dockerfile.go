package spec

import "io/fs"

// Dockerfile is the text of a Dockerfile with all that chooses among its stages.
type Dockerfile struct {
	Path   string            `json:"path"`             // for messages, relative to the workspace when it can be
	Data   []byte            `json:"data"`             //
	Target string            `json:"target,omitempty"` // stage; "" = the last
	Args   map[string]string `json:"args,omitempty"`   // build arguments
}

// Recipe is what the stages that a Dockerfile's target needs take from
// outside. It never names less than the build reads: where the Dockerfile
// alone cannot tell, it names more.
type Recipe struct {
	// Bases are the images of FROM, COPY --from and RUN --mount=from, as full
	// references ("docker.io/library/debian:12"), sorted.
	Bases []string `json:"bases,omitempty"`
	// Sources are the paths and patterns of the build context that COPY, ADD
	// and RUN --mount reach: relative, slash-separated, sorted. A directory
	// stands for everything below it. Empty with Whole.
	Sources []string `json:"sources,omitempty"`
	// Whole says that the build may read any file of the context.
	Whole bool `json:"whole,omitempty"`
	// Notes are for the user: what in the Dockerfile wr does not follow.
	Notes []string `json:"notes,omitempty"`
}

// ContextMode is the mode under which a file of the build context is hashed
// and sent to the builder: what git would record and no more. Group and other
// bits come from the umask of whoever checked the file out, so with them the
// same commit would give another image on another machine.
func ContextMode(mode fs.FileMode) fs.FileMode {
	switch {
	case mode.IsDir():
		return fs.ModeDir | 0o755
	case mode&fs.ModeSymlink != 0:
		return fs.ModeSymlink | 0o777
	case mode&0o100 != 0:
		return mode.Type() | 0o755
	default:
		return mode.Type() | 0o644
	}
}
