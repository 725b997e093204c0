"""Alerts: rules, their evaluation, and the words that make and silence them (pure)."""
