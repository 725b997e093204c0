"""Counts the work of code that reads outside text, so that tests can compare how it grows. Nothing
here looks at the clock.

`Work` stands in for the regular expressions of some modules: each result costs as many steps as it
has bytes or characters, and each call one more. What a call that finds nothing may cost is bounded
by the expression itself; `unbounded_parts` names the parts that are not.
"""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Iterator
from re import _constants as codes  # type: ignore[attr-defined]  # private, and typeshed does not list it
from re import _parser as parser  # type: ignore[attr-defined]  # private, and typeshed does not list it
from typing import Any

import pytest

from providers.patterns import LazyPattern
from tests.support.work import with_tracer

# What stands for a regular expression in a module.
PATTERN_TYPES = (re.Pattern, LazyPattern)
_REPEATS = (codes.MAX_REPEAT, codes.MIN_REPEAT)
_ATOMIC = (codes.ASSERT, codes.ASSERT_NOT, codes.ATOMIC_GROUP)


class Work:
    """Steps taken so far."""

    def __init__(self) -> None:
        self.steps = 0

    def watch(self, module: types.ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
        """Counts the work of a module's regular expressions from now on, including those that it
        compiles later.
        """
        for name, value in list(vars(module).items()):
            if isinstance(value, PATTERN_TYPES):
                monkeypatch.setattr(module, name, _Counted(value, self))
            elif (
                isinstance(value, dict)
                and value
                and all(isinstance(each, PATTERN_TYPES) for each in value.values())
            ):
                monkeypatch.setattr(
                    module, name, {key: _Counted(each, self) for key, each in value.items()}
                )
            elif isinstance(pattern := getattr(value, "__self__", None), re.Pattern):
                monkeypatch.setattr(module, name, getattr(_Counted(pattern, self), value.__name__))
        if getattr(module, "re", None) is re:
            monkeypatch.setattr(module, "re", _CountingRe(self))

    def of(self, act: Callable[[], object]) -> int:
        """The steps that a call takes. Measuring its coverage would take longer than the call."""
        before = self.steps
        with_tracer(None, act)
        return self.steps - before


class _CountingRe(types.SimpleNamespace):
    def __init__(self, work: Work) -> None:
        super().__init__(**vars(re))
        self.compile = lambda *args: _Counted(re.compile(*args), work)
        for name in ("match", "search", "fullmatch", "sub"):
            setattr(
                self,
                name,
                lambda pattern, *args, name=name: getattr(
                    _Counted(re.compile(pattern), work), name
                )(*args),
            )


class _Counted:
    """A regular expression that counts its work."""

    def __init__(self, pattern: Any, work: Work) -> None:
        self._pattern = pattern
        self._work = work

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pattern, name)

    def match(self, *args: Any) -> Any:
        return self._counted(self._pattern.match(*args))

    def search(self, text: Any, start: int = 0, end: int = 1 << 62) -> Any:
        match = self._pattern.search(text, start, end)
        # A search reads all that lies in front of what it finds.
        self._work.steps += (match.start() if match else min(len(text), end)) - start
        return self._counted(match)

    def finditer(self, text: Any, *args: int) -> Iterator[Any]:
        last = args[0] if args else 0
        for match in self._pattern.finditer(text, *args):
            self._work.steps += match.end() - last
            last = match.end()
            yield match

    def sub(self, replacement: Any, text: Any) -> Any:
        self._work.steps += len(text)
        return self._pattern.sub(replacement, text)

    def _counted(self, match: Any) -> Any:
        self._work.steps += 1 + (match.end() - match.start() if match else 0)
        return match


def unbounded_parts(
    pattern: re.Pattern[Any] | LazyPattern, *, even_last: bool = False
) -> list[str]:
    """The repeats without an upper limit that can backtrack, and those inside another repeat
    without a limit. The last part of a pattern, of an assertion or of an atomic group cannot
    backtrack; `even_last` names it nevertheless.
    """
    parsed = parser.parse(
        pattern.pattern,
        pattern.flags & ~re.UNICODE & ~re.LOCALE
        if isinstance(pattern.pattern, bytes)
        else pattern.flags,
    )
    return list(_unbounded(parsed, inside=False, at_end=not even_last, even_last=even_last))


def _unbounded(items: Any, *, inside: bool, at_end: bool, even_last: bool) -> Iterator[str]:
    for position, (code, argument) in enumerate(items):
        is_last = at_end and position == len(items) - 1
        if code in _REPEATS or code is codes.POSSESSIVE_REPEAT:
            _, most, body = argument
            endless = most is codes.MAXREPEAT and code in _REPEATS
            if endless and (inside or not is_last):
                yield f"{code} {body}"
            inner = [body]
            inside_body = inside or endless
            ends = is_last and most == 1
        else:
            inner = [*_inner(argument)]
            inside_body = inside
            ends = not even_last if code in _ATOMIC else is_last
        for body in inner:
            yield from _unbounded(body, inside=inside_body, at_end=ends, even_last=even_last)


def _inner(argument: Any) -> Iterator[Any]:
    if isinstance(argument, parser.SubPattern):
        yield argument
    elif isinstance(argument, (tuple, list)):
        for each in argument:
            yield from _inner(each)
