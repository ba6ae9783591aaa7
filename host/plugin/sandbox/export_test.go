package sandbox

// Pid is the child's process id.
func (c *Child) Pid() int { return c.process.cmd.Process.Pid }
