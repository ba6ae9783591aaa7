// Package abi holds the words of wr/1, the protocol between wr and its plugins,
// as plain data. docs/plugins/abi.md says what they mean and in which order they
// come; this package says how they are spelled.
//
// A plugin is a WASI preview 1 command module. It reads messages from stdin and
// writes messages to stdout: JSON-RPC 2.0, one object a line, in both directions.
// What it writes to stderr is its log. Who receives a message ignores fields that
// it does not know, and refuses methods that it does not know.
//
// Paths are relative to the workspace's root, with slashes, and never leave it.
// Files of the workspace are below Source in the plugin's own file system.
package abi

// Version is the protocol's name in manifests and in the handshake.
const Version = "wr/1"

// ManifestSection is the custom section of a module that holds its Manifest as JSON.
const ManifestSection = "dev.wr.manifest"

// Where a plugin finds files.
const (
	Source = "/src" // the workspace, read-only, as far as it is granted
	Output = "/out" // in memory; the host takes what is in it when a call ends
	Temp   = "/tmp" // in memory; gone with the plugin
)

// MaxLine is the length of the longest message in bytes, its newline included.
const MaxLine = 8 << 20

// MaxValues is how many values a message of a plugin may have: texts, numbers, lists,
// objects, whatever stands in them.
const MaxValues = 1 << 19

// MaxStrays is how many lines that are no message a plugin may print on stdout
// in one session. They are shown as a warning; with one more the session ends.
const MaxStrays = 3
