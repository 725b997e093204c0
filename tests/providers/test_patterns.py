"""Patterns mean the same in every Python version."""

from __future__ import annotations

import re

import pytest

from providers.patterns import compile_pattern, with_atomic_groups


@pytest.mark.parametrize(
    ("possessive", "atomic"),
    [
        ("(?:ab)?+c", "(?>(?:ab)?)c"),
        ("(a|(b)*+)++", "(?>(a|(?>(b)*))+)"),
        ("(?:ab){2,3}+", "(?>(?:ab){2,3})"),
        (r"\(a[)(]?+(?=b)", r"\(a[)(]?+(?=b)"),
        ("(?x) (?:a) # )?+\n(b)?+", "(?x) (?:a) # )?+\n(?>(b)?)"),
    ],
)
def test_possessive_groups_become_atomic(possessive: str, atomic: str) -> None:
    assert with_atomic_groups(possessive) == atomic
    assert with_atomic_groups(possessive.encode()) == atomic.encode()
    re.compile(atomic)


def test_failed_group_gives_nothing_away() -> None:
    """Before 3.11.5, Python continued after the text that a failed group had matched."""
    assert compile_pattern(r'(?:\{ ?"(?:date)" ?: ?)?+"?+').match('{"data"').end() == 0  # type: ignore[union-attr]
