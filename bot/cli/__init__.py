"""Commands of the terminal that prepare an installation and look after its data."""
