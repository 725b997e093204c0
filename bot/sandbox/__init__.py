"""A Slack and three vendors on loopback, to try the bot in and to test it against.

Nothing in here shares parsing, signing or formatting with the code it stands against: it is an
independent witness. It checks what the real ones check, keeps a ledger of requests, and can be told
to misbehave.
"""
