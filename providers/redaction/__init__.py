"""Secrets: how the bot holds its own, and what is taken out of everything that leaves a provider.

`Redactor.text` and `Redactor.stream` replace passwords, tokens and keys with `[redacted]`, and each
of the bot's own live secrets wherever it stands. A new token format is one row of `tokens.py`, a
new kind of name one word of `names.py`.
"""

from providers.redaction.redactor import Redactor
from providers.redaction.secret import MARK, Secret
from providers.redaction.stream import LONGEST_LINE, OVERLAP, LineRedactor

__all__ = ["LONGEST_LINE", "MARK", "OVERLAP", "LineRedactor", "Redactor", "Secret"]
