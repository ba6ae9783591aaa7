// Package confinetest has a process live on a system that lacks what others have,
// for tests of what is done without.
package confinetest
