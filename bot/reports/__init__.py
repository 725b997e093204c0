"""Turns data into numbers and findings. Pure: no clock, no network, no Slack."""
