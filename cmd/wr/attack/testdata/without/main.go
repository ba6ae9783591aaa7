// Command without runs a program on a system that lacks something.
package main

func main() {}
