"""Turns reports into text and Block Kit: pure functions that return plain dicts, checked against
Slack's limits.
"""
