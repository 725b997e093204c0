"""Removes secrets from text and log bytes: passwords, tokens, keys, and the bot's own credentials.

One pass over a block finds the fixed texts at which a secret may begin, and the rules read only
there. In doubt, a value is removed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from providers.redaction.scan import ValueScan
from providers.redaction.secret import MARK, Secret
from providers.redaction.spans import Found, without
from providers.redaction.spellings import json_spellings, spellings
from providers.redaction.stream import LineRedactor

if TYPE_CHECKING:
    from providers.redaction.multiline import OpenBlock

SHORTEST_OWN: Final = 4
# A shorter one, or a shorter one of letters alone, could be a name in the JSON of an answer.
SHORTEST_IN_ANSWERS: Final = 8
SHORTEST_WORD_IN_ANSWERS: Final = 20
_MARK: Final = MARK.encode()
# Short texts that are known to hold no secret.
LONGEST_KNOWN: Final = 200
MOST_KNOWN: Final = 500
# Texts that between them need all large patterns.
_OF_EACH_KIND: Final = (
    b"password=kitchen",
    b"mysql -u ada -pkitchen --password kitchen",
    b"<password>kitchen</password> password is kitchen",
    b'{"name": "password", "value": "kitchen"}\n- name: PASSWORD\n  value: kitchen\n',
    b'Traceback (most recent call last):\n  File "oven.py", line 1\nOvenError: password=kitchen\n',
    b"https://ada:kitchen@example.com/?token=kitchen\nAuthorization: Bearer kitchen-oven-kitchen\n",
    b"-----BEGIN PRIVATE KEY-----\nMIIkitchen\n-----END PRIVATE KEY-----\n",
)


class Redactor:
    """Removes secrets from text and log bytes. `own` are the bot's own secrets, which are matched
    by value in all their spellings.
    """

    def __init__(self, own: Iterable[Secret] = ()) -> None:
        self._own = sorted({s.open() for s in own if len(s.open()) >= SHORTEST_OWN})
        texts = sorted({spelling for value in self._own for spelling in spellings(value)})
        self._own_scan = ValueScan(texts)
        self._in_answers = {
            value: [text.encode("utf-8", "surrogatepass") for text in json_spellings(value)]
            for value in self._own
            if _is_distinct(value)
        }
        self._known: set[str] = set()
        self._may_cut = not any(b"\n" in text for text in texts)

    def __reduce__(self) -> tuple[type[Redactor], tuple[list[Secret]]]:
        return Redactor, ([Secret(value) for value in self._own],)

    def text(self, text: str) -> str:
        """The text without secrets."""
        # A question is redacted for its record and for its answer, and many people ask the same.
        if not text or text in self._known:
            return text
        clean = self.block(text.encode("utf-8", "surrogatepass")).decode("utf-8", "replace")
        if clean == text and len(text) <= LONGEST_KNOWN:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known.add(text)
        return clean

    def without_own(self, text: str) -> str:
        """The text without the bot's own secrets. Other tokens in it are kept."""
        block = text.encode("utf-8", "surrogatepass")
        spans: list[Found] = [(start, end, _MARK) for start, end in self._own_scan.found(block)]
        return without(block, spans).decode("utf-8", "replace")

    def answer(self, body: bytes, *, but: str = "") -> bytes:
        """A vendor's answer without the bot's own secrets, whichever column repeats them. `but` is
        one by which rows are recognised, and which is removed later.
        """
        for value, written in self._in_answers.items():
            for each in written if value != but else ():
                # Hardly any answer has one, and a search is much faster than a replacement.
                if each in body:
                    body = body.replace(each, _MARK)
        return body

    def block(self, block: bytes) -> bytes:
        """A block of whole lines without secrets. Bytes that hold none are returned unchanged."""
        return self.part(block, None)[0]

    def prepare(self) -> None:
        """Builds the rules and compiles what reads by them, which takes a few dozen milliseconds.
        Otherwise the first text of each kind does.
        """
        from providers.redaction.rules import rule_table

        rule_table()
        for text in _OF_EACH_KIND:
            self.block(text)

    def part(self, block: bytes, opened: OpenBlock | None) -> tuple[bytes, OpenBlock | None]:
        """Some lines of a longer text without secrets. `opened` is a secret of several lines that
        the lines before left open; the result has the one that these lines leave open.
        """
        # Loading the rules takes a while and many processes redact nothing, so it waits for the
        # first text.
        from providers.redaction.search import redacted_part

        return redacted_part(block, opened, self._own_scan, may_cut=self._may_cut)

    def stream(self) -> LineRedactor:
        """A redactor for bytes that arrive in pieces."""
        return LineRedactor(self)


def _is_distinct(value: str) -> bool:
    """Whether a secret cannot be part of a number, or a name, in the JSON of an answer."""
    shortest = SHORTEST_WORD_IN_ANSWERS if value.isalpha() else SHORTEST_IN_ANSWERS
    return len(value) >= shortest and not value.isdigit()
