"""The commands, a folder each: words, report, blocks and answer."""
