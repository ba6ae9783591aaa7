package plugintest

// Order says what the program in guest is to run.
type Order struct {
	Module string   // path of the module
	Cache  string   // directory of compiled code
	Tree   string   // directory that the module sees
	Place  string   // where it sees it
	Read   []string // globs of the files of it that are there
	Args   []string // the first is the plugin's name
}
