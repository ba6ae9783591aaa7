// Package image makes images: it reads what a Dockerfile takes from outside
// (Recipe), builds it with the engine's BuildKit (Builder), and makes base
// images from a distribution's own packages (CreateBase).
//
// Everything here is the client's side. BuildKit and containerd are reached
// over their sockets, and the session that lends the build context runs in
// this process, so a build ends with the process that asked for it.
package image
