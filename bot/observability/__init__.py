"""Log lines, metrics, and the callbacks by which other modules report what has happened."""
