"""What the bot knows, and how it runs."""

__version__ = "0.1.0"
