"""Regular expressions that mean the same on every Python that is supported."""

from __future__ import annotations

import re
import sys
from typing import Any, AnyStr, cast

# Before 3.11.5 a possessive quantifier of a group did not go back to where the group began when
# the group failed halfway (python/cpython, gh-106052). An atomic group does, and means the same.
NEEDS_ATOMIC_GROUPS = sys.version_info < (3, 11, 5)
_POSSESSIVE = re.compile(r"([*+?]|\{\d*,?\d*\})\+")
_CLASS = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)


def compile_pattern(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """The compiled pattern, with possessive groups as Python 3.11.5 and later read them."""
    return re.compile(with_atomic_groups(pattern) if NEEDS_ATOMIC_GROUPS else pattern, flags)


class LazyPattern:
    """A pattern that is compiled when it is first used. From then on its methods are those of the
    compiled pattern, so it is as fast.
    """

    def __init__(self, pattern: str | bytes, flags: int) -> None:
        self._source = pattern
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        # Python looks for these when it copies or inspects an object.
        if name.startswith("__"):
            raise AttributeError(name)
        compiled: re.Pattern[Any] = compile_pattern(self._source, self._flags)
        for method in ("match", "search", "finditer", "findall", "fullmatch", "sub"):
            setattr(self, method, getattr(compiled, method))
        return getattr(compiled, name)


def lazy_pattern(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """The pattern, compiled when it is first used: some take milliseconds, and a process seldom
    needs all of them.
    """
    return cast("re.Pattern[AnyStr]", LazyPattern(pattern, flags))


def with_atomic_groups(pattern: AnyStr) -> AnyStr:
    """The same pattern with `(?>(…)?)` for `(…)?+`."""
    if isinstance(pattern, bytes):
        return _rewritten(pattern.decode("latin-1")).encode("latin-1")
    return _rewritten(pattern)


def _rewritten(pattern: str) -> str:
    is_verbose = bool(re.match(r"\(\?[a-z]*x", pattern))
    out: list[str] = []
    opened: list[int] = []
    at = 0
    while at < len(pattern):
        piece = _piece(pattern, at, is_verbose)
        at += len(piece)
        if piece == "(":
            opened.append(len(out))
        out.append(piece)
        if piece == ")":
            start = opened.pop()
            if found := _POSSESSIVE.match(pattern, at):
                out.insert(start, "(?>")
                out.append(f"{found[1]})")
                at = found.end()
    return "".join(out)


def _piece(pattern: str, at: int, is_verbose: bool) -> str:
    """What is read at once: an escape, a class, a comment, or one character."""
    if pattern[at] == "\\":
        return pattern[at : at + 2]
    if pattern[at] == "[" and (found := _CLASS.match(pattern, at)):
        return found[0]
    if pattern[at] == "#" and is_verbose:
        return pattern[at:].partition("\n")[0]
    return pattern[at]
