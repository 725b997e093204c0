"""Secrets: how the bot keeps its own, and what is removed from everything that a provider returns.

`Redactor.text` and `Redactor.stream` replace passwords, tokens and keys with `[redacted]`, and so
they do with the bot's own secrets. A new token format is one row of `tokens.py`; a new kind of name
is one word of `names.py`.
"""

from providers.redaction.redactor import Redactor
from providers.redaction.secret import MARK, Secret
from providers.redaction.stream import LONGEST_LINE, OVERLAP, LineRedactor

__all__ = ["LONGEST_LINE", "MARK", "OVERLAP", "LineRedactor", "Redactor", "Secret"]
