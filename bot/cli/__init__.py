"""The commands of the program in a terminal."""
