package plan

// Dockerfile is one that a plugin has made, for a project that has none.
type Dockerfile struct {
	Plugin string   // its name
	Text   string   //
	Ignore []string // lines of a .dockerignore that goes with it; nil = the project's own, if there is one
}

// Name is what it is called in place of a file.
func (d Dockerfile) Name() string { return "Dockerfile of plugin " + d.Plugin }
