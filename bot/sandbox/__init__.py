"""A Slack and the vendors on loopback, to try the bot in and to test it against.

Nothing here shares parsing, signing or formatting with the code that it tests, so that a mistake in
one is not repeated in the other. It checks what the real services check, records requests, and can
simulate faults.
"""
