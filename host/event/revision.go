package event

// Revision is what git says of the files of a workspace.
type Revision struct {
	Commit  string `json:"commit,omitempty"`  // in full; "" = there is none yet
	Branch  string `json:"branch,omitempty"`  // "" = HEAD is detached
	Dirty   bool   `json:"dirty,omitempty"`   // files differ from the commit, or are unknown to git and not ignored
	Unknown string `json:"unknown,omitempty"` // why git could not say, and then nothing else is known
}

// Text is s in a few words, "" of nil.
func (s *Revision) Text() string {
	if s == nil {
		return ""
	}
	text := "commit " + s.Commit
	switch {
	case s.Unknown != "":
		return "unknown: " + s.Unknown
	case s.Commit == "":
		text = "no commit yet"
	}
	if s.Dirty {
		text += " with changes"
	}
	return text
}
