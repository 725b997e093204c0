"""Restores text as it was typed from the form in which Slack sends it."""

from __future__ import annotations

import re

_QUOTES = str.maketrans(
    {"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "‚": "'", "\u00a0": " ", "\u2026": "..."}
    # Thin blanks, and marks without a width that are copied along with a text.
    | dict.fromkeys("\u2009\u202f", " ")
    | dict.fromkeys("\u200b\u2060\ufeff\u200e\u200f", "")
)
_LINK = re.compile(r"<((?:https?|mailto|tel):[^|<>\s]+)(?:\|([^<>]*))?>")
_MENTION = re.compile(r"<([#@!])([^|<>]+)(?:\|([^<>]*))?>")


def unescape_input(text: str) -> str:
    """The text as the person typed it, on one line: links and mentions unwrapped, quotes straight,
    `&lt;` `&gt;` `&amp;` unescaped once.
    """
    text = _LINK.sub(_link, " ".join(text.splitlines()))
    text = _MENTION.sub(
        lambda match: f"{match[1] if match[1] != '!' else '@'}{match[3] or match[2]}", text
    )
    text = plain_punctuation(text)
    # The ampersand last, so that a typed `&lt;` stays as it was.
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def plain_punctuation(text: str) -> str:
    """The text with straight quotes, plain blanks and two hyphens for a long dash, and without
    invisible marks: keyboards, word processors and browsers put them in.
    """
    return text.translate(_QUOTES).replace("—", "--")


def _link(match: re.Match[str]) -> str:
    """The label of an automatic link, which is what was typed, or its address."""
    return match[2] or match[1].removeprefix("mailto:").removeprefix("tel:")
