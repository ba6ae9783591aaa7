// Package containertest has what tests with real containers share: helpers
// built from source, a tiny image made without any registry, and a census that
// proves that nothing was left behind. All but this comment needs linux and
// the build tag engine.
package containertest
