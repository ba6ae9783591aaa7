package hook

import "time"

// Wait has Close wait for the plugin that long, however slow the machine is.
func (e *Events) Wait(d time.Duration) { e.wait = d }
