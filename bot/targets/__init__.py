"""Sends what `bot.notifications` renders: by HTTP and by mail, each through the proxies and with the
certificates of the environment.
"""
