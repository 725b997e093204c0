"""Reads logs of any program: the time and the level of each line, and how many lines have which."""
