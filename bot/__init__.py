"""What the bot knows, and how it runs."""
