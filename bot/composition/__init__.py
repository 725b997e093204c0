"""Puts the bot together: the configured accounts, what is opened first, and its parts."""
