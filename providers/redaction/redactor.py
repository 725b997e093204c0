"""Takes secrets out of text and of log bytes: passwords, tokens and keys, and the bot's own
credentials wherever they stand.

When in doubt a value is taken out. The rules and their patterns are imported when the first text is
redacted, since a question in a terminal may need none of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from typing import TYPE_CHECKING, Final

from providers.redaction.lines import PART_BYTES, parts
from providers.redaction.periodic import Cut, Found, has_long_run, restored, shortened
from providers.redaction.secret import MARK, REST_MARK, Secret
from providers.redaction.spellings import spellings
from providers.redaction.stream import LineRedactor
from providers.redaction.value_scan import ValueScan

if TYPE_CHECKING:
    from providers.redaction.multiline import OpenBlock

SHORTEST_OWN: Final = 4
_MARK: Final = MARK.encode()


class Redactor:
    """Takes secrets out of text and of log bytes. `own` are the bot's live secrets, matched by
    value in any of their spellings.
    """

    def __init__(self, own: Iterable[Secret] = ()) -> None:
        self._own = sorted({s.open() for s in own if len(s.open()) >= SHORTEST_OWN})
        texts = sorted({spelling for value in self._own for spelling in spellings(value)})
        self._own_scan = ValueScan(texts)
        self._may_cut = not any(b"\n" in text for text in texts)

    def __reduce__(self) -> tuple[type[Redactor], tuple[list[Secret]]]:
        return Redactor, ([Secret(value) for value in self._own],)

    def text(self, text: str) -> str:
        """The text without secrets."""
        if not text:
            return text
        return self.block(text.encode("utf-8", "surrogatepass")).decode("utf-8", "replace")

    def without_own(self, text: str) -> str:
        """The text without the bot's own secrets; any other token in it stays."""
        block = text.encode("utf-8", "surrogatepass")
        spans: list[Found] = [(start, end, _MARK) for start, end in self._own_scan.found(block)]
        return _without(block, spans).decode("utf-8", "replace")

    def block(self, block: bytes) -> bytes:
        """A block of whole lines without secrets. Clean bytes come back as they were,
        bit for bit.
        """
        return self.part(block, None)[0]

    def prepare(self) -> None:
        """Builds the rules, which takes about ten milliseconds. Otherwise the first text does."""
        from providers.redaction.rules import rule_table

        rule_table()

    def part(self, block: bytes, opened: OpenBlock | None) -> tuple[bytes, OpenBlock | None]:
        """Some lines of a longer text without secrets. The lines before them may have left a secret
        of several lines open, and so may these.
        """
        from providers.redaction.spans import DenseLinesError

        redacted: list[bytes] = []
        is_dense = False
        for lines in parts(block) if self._may_cut else [block]:
            if not is_dense and len(lines) <= PART_BYTES and not has_long_run(lines):
                try:
                    clean, opened = self._lines(lines, opened)
                except DenseLinesError:
                    is_dense = True
                else:
                    redacted.append(clean)
                    continue
            clean, opened = self._dense_lines(lines, opened)
            redacted.append(clean)
        return (redacted[0] if len(redacted) == 1 else b"".join(redacted)), opened

    def stream(self) -> LineRedactor:
        """A redactor for bytes that arrive in pieces."""
        return LineRedactor(self)

    def _lines(
        self, block: bytes, opened: OpenBlock | None, *, may_be_dense: bool = False
    ) -> tuple[bytes, OpenBlock | None]:
        from providers.redaction.spans import is_long_line, secret_spans

        text = block
        cuts: list[Cut] = []
        if may_be_dense and opened is None and is_long_line(block):
            text, cuts = shortened(block)
        spans, opened = secret_spans(text, opened, may_be_dense=may_be_dense)
        if cuts:
            spans = restored(spans, cuts)
        spans += [(start, end, _MARK) for start, end in self._own_scan.found(block)]
        return _without(block, spans), opened

    def _dense_lines(
        self, block: bytes, opened: OpenBlock | None
    ) -> tuple[bytes, OpenBlock | None]:
        """Lines that may be dense. One that repeats is read once, unless a secret of several lines
        goes on in it and may end there.
        """
        from providers.redaction import dense
        from providers.redaction.spans import LONG_LINE

        redacted: list[bytes] = []
        for lines, count in dense.repeated_lines(block, long=LONG_LINE):
            left = count
            while left:
                before = copy(opened)
                clean, opened = self._lines(lines, opened, may_be_dense=True)
                # The next time the same comes out, where the line leaves open what was open before.
                times = left if opened == before else 1
                redacted.append(clean * times)
                left -= times
        return b"".join(redacted), opened


def _without(block: bytes, spans: list[Found]) -> bytes:
    if not spans:
        return block
    spans.sort()
    pieces: list[bytes] = []
    done = 0
    for start, end, mark in spans:
        if end <= start:
            continue
        if start > done or not pieces or mark == REST_MARK:
            pieces += (block[done:start], mark)
        done = max(done, end)
    pieces.append(block[done:])
    return b"".join(pieces)
