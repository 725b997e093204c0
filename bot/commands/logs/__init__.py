"""`/logs`: the lines of a log, with a preview and the whole file."""
