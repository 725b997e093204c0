"""The commands, a folder each: its words, its report, its blocks and its answer."""
