"""Reports become words and Block Kit here. Pure: functions that return plain dicts, checked against
Slack's limits.
"""
