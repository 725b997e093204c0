"""The filters that a form offers for what was typed so far (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from bot.formatting import quoted
from providers.models import CallsDescription

# What a vendor lists may hold anything; what cannot be typed is not offered.
_NAME = re.compile(r"[A-Za-z][\w-]{0,49}", re.ASCII)
# Quotes are of the question, and the others become plain ones where it is read.
_CHANGED = frozenset('"“”„‘’‚…—')


class FilterChoice(Struct, frozen=True):
    """A filter as it is typed, and the accounts that list it; none for one that any account takes."""

    word: str
    accounts: tuple[str, ...] = ()


def filter_choices(
    words: Sequence[str], described: Mapping[str, CallsDescription], typed: str
) -> list[FilterChoice]:
    """The filters that contain what was typed, those that begin with it first: the `words` that any
    account takes, and those that accounts list.
    """
    accounts: dict[str, list[str]] = {word: [] for word in words}
    for account, description in described.items():
        for word in _words(description):
            names = accounts.setdefault(word, [])
            if word not in words:
                names.append(account)
    parts = typed.lower().split()
    found = [word for word in accounts if all(part in word.lower() for part in parts)]
    # Python sorts stably: within each group the order stays.
    found.sort(key=lambda word: not _begins(word.lower(), typed.lower().strip()))
    return [FilterChoice(word, tuple(accounts[word])) for word in found]


def _begins(word: str, typed: str) -> bool:
    """Whether the filter, or its value, begins with what was typed."""
    return word.startswith(typed) or word.partition(":")[2].startswith(typed)


def _words(description: CallsDescription) -> Iterator[str]:
    for each in description.filters:
        if not _NAME.fullmatch(each.name):
            continue
        for value in filter(_is_typeable, each.values):
            yield f"{each.name}:{quoted(value)}"


def _is_typeable(value: str) -> bool:
    """Whether a value is the same once it was typed in a question."""
    return value.isprintable() and value.strip() != "" and _CHANGED.isdisjoint(value)
