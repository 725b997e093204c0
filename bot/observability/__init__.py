"""Log lines, metrics, and the callbacks through which other modules report events."""
