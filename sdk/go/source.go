// Package sdk carries the files of wr's SDK for Go, so that wr can write them
// beside a new plugin, which then builds without a network. Plugins import
// packages wr and abi instead.
package sdk

import "embed"

// Source holds the SDK's own files, tests included, by their paths in the module.
//
//go:embed abi/*.go wr/*.go
var Source embed.FS

// Module is the SDK's path, and GoVersion the oldest Go that builds it.
const (
	Module    = "github.com/wr-build/wr/sdk/go"
	GoVersion = "1.26.0"
)
