"""Notifications of alerts to targets beside Slack, as the requests and mails that each kind of
target takes (pure). `kinds` lists them; `bot.targets` sends what is rendered here.
"""
