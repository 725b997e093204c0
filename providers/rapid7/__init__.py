"""Rapid7 Log Search (InsightOps): data usage by day and by log, and raw log download."""
