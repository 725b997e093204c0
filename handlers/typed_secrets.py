"""Secrets in what people type. Records are redacted; a question that must be asked again word for
word is not stored with one.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from bot.answer import Block
from bot.errors import BadQuestion
from providers.redaction import Redactor


class SecretCheck(Struct, frozen=True):
    """Finds secrets in text that is about to be stored."""

    redactor: Redactor

    def refuse(self, line: str, instead: str) -> None:
        """Raises BadQuestion for a question to be stored that contains what looks like a secret."""
        if self.redactor.text(line) != line:
            raise BadQuestion(
                (
                    "This question holds what looks like a password or a token, and is not "
                    "stored; leave that part out."
                ),
                instead,
            )

    def redacted(self, text: str) -> str:
        """The text as it may be stored."""
        return self.redactor.text(text)

    def redacted_blocks(self, blocks: Sequence[Block]) -> list[Block]:
        """The blocks as they may be stored. A button that would ask a question with a secret is
        left out.
        """
        redacted = [self._redacted(block) for block in blocks]
        return [block for block in redacted if block.get("type") != "actions" or block["elements"]]

    def _redacted(self, block: Block) -> Block:
        # Text can be redacted; the value of a button is asked word for word.
        if block.get("type") != "actions":
            return {key: self._walk(value) for key, value in block.items()}
        values = [(element, str(element.get("value", ""))) for element in block["elements"]]
        return {
            **block,
            "elements": [element for element, value in values if self.redacted(value) == value],
        }

    def _walk(self, value: object) -> object:
        if isinstance(value, str):
            return self.redacted(value)
        if isinstance(value, list):
            return [self._walk(each) for each in value]
        if isinstance(value, dict):
            return {key: self._walk(each) for key, each in value.items()}
        return value
