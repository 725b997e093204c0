"""Turns data into numbers and findings (pure)."""
