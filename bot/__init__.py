"""The bot: questions, reports, alerts, and everything that runs them."""

__version__ = "0.1.0"
