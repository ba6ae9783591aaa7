package hook

import "time"

// Wait has Close wait for the plugin that long, however slow the machine is.
func (e *Events) Wait(d time.Duration) { e.wait = d }

// Running is how many calls have their turn.
func (p *Plugin) Running() int { return len(p.turns) }
