"""Logs as they come: what a line's time and level are, whatever program wrote it, and how many
lines have which.
"""
