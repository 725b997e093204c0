"""Conditions of LEQL (`where`), read into functions of an entry."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from providers.rapid7.sandbox.leql_tokens import LeqlError, Token, tokens_of

_PAIR = re.compile(r'([A-Za-z_][\w.-]*)=("[^"]*"|\'[^\']*\'|[^\s,;]+)')
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


@dataclass(slots=True)
class Entry:
    """A line of a log with its keys: those of JSON or of `key=value` pairs, and what a regular
    expression has captured by name.
    """

    line: str
    log: str = ""
    _fields: dict[str, str] | None = None

    @property
    def fields(self) -> dict[str, str]:
        if self._fields is None:
            self._fields = dict(_fields_of(self.line))
        return self._fields


Condition = Callable[[Entry], bool]


def read_condition(text: str) -> Condition:
    """The condition in the text, with or without `, loose` at its end."""
    tokens = list(tokens_of(text))
    # `where(error, loose)` ignores case and finds parts of words.
    loose = len(tokens) > 1 and tokens[-2][0] == "," and tokens[-1][1].lower() == "loose"
    if not tokens:
        raise LeqlError("The where clause is empty")
    return _Reader(tokens[:-2] if loose else tokens, loose=loose).whole()


@dataclass(slots=True)
class _Reader:
    """Reads conditions; AND binds before OR."""

    tokens: list[Token]
    loose: bool
    at: int = 0

    def whole(self) -> Condition:
        condition = self._any()
        if self.at < len(self.tokens):
            raise LeqlError(f"Unexpected input: {self.tokens[self.at][1][:40]}")
        return condition

    def _any(self) -> Condition:
        parts = [self._all()]
        while self._takes("or"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else lambda entry: any(part(entry) for part in parts)

    def _all(self) -> Condition:
        parts = [self._one()]
        # `a NOT b` is `a AND NOT b`.
        while self._takes("and") or self._word() == "not":
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else lambda entry: all(part(entry) for part in parts)

    def _one(self) -> Condition:
        if self._takes("not"):
            inner = self._one()
            return lambda entry: not inner(entry)
        if self._kind() == "(":
            self.at += 1
            inside = self._any()
            self._expect(")")
            return inside
        kind, text = self._next()
        if self._kind() == "sign":
            return _comparison(text, self._next()[1], self._value())
        return self._operator(text) or self._keyword(kind, text)

    def _operator(self, key: str) -> Condition | None:
        """`key CONTAINS value` and its like."""
        begin = self.at
        negated = self._takes("not")
        operator = _OPERATORS.get(self._word().partition("-any")[0].partition("-all")[0])
        if operator is None:
            # A `not` in front of another condition is read later.
            self.at = begin
            return None
        _, word = self._next()
        test, ignores_case = operator
        values = self._list() if self._kind() == "[" else [self._value()]
        together = all if word.lower().endswith("-all") else any

        def condition(entry: Entry) -> bool:
            found = entry.fields.get(key)
            # A key that is missing fails also a negated operator.
            if found is None:
                return False
            return together(_holds(test, found, value, ignores_case) for value in values) != negated

        return condition

    def _keyword(self, kind: str, text: str) -> Condition:
        if kind == "regex":
            return _pattern_condition(_compiled(text))
        if kind not in ("word", "quoted"):
            raise LeqlError(f"Unexpected input: {text[:40]}")
        # A keyword by itself matches whole words only.
        edges = ("", "") if self.loose else (r"(?<![A-Za-z0-9_])", r"(?![A-Za-z0-9_])")
        flags = re.IGNORECASE if self.loose else 0
        return _pattern_condition(re.compile(re.escape(text).join(edges), flags))

    def _value(self) -> Value:
        kind, text = self._next()
        if kind == "word" and text.lower() in ("nocase", "ip") and self._kind() == "(":
            self.at += 1
            _, inner = self._next()
            # A network such as 10.0.0.0/8 is two tokens here.
            while self._kind() not in (")", ""):
                inner += self._next()[1]
            self._expect(")")
            return Value(inner, nocase=text.lower() == "nocase", network=text.lower() == "ip")
        if kind == "regex":
            return Value(text, pattern=_compiled(text))
        if kind not in ("word", "quoted"):
            raise LeqlError(f"A value is missing before {text[:20]}")
        return Value(text, nocase=self.loose)

    def _list(self) -> list[Value]:
        self.at += 1
        values = [self._value()]
        while self._kind() == ",":
            self.at += 1
            values.append(self._value())
        self._expect("]")
        return values

    def _kind(self) -> str:
        return self.tokens[self.at][0] if self.at < len(self.tokens) else ""

    def _word(self) -> str:
        return self.tokens[self.at][1].lower() if self._kind() == "word" else ""

    def _takes(self, word: str) -> bool:
        if self._word() != word:
            return False
        self.at += 1
        return True

    def _expect(self, kind: str) -> None:
        if self._kind() != kind:
            raise LeqlError(f"Expected {kind}")
        self.at += 1

    def _next(self) -> tuple[str, str]:
        if self.at >= len(self.tokens):
            raise LeqlError("Unexpected end of the query")
        kind, text, _, _ = self.tokens[self.at]
        self.at += 1
        return kind, text


@dataclass(frozen=True, slots=True)
class Value:
    """What a key is compared with."""

    text: str
    nocase: bool = False
    network: bool = False
    pattern: re.Pattern[str] | None = None


def _compiled(text: str) -> re.Pattern[str]:
    body, _, flags = text[1:].rpartition("/")
    try:
        return re.compile(body, re.IGNORECASE if "i" in flags else 0)
    except re.error as error:
        raise LeqlError(f"Invalid regular expression {text[:40]}: {error}") from None


def _pattern_condition(pattern: re.Pattern[str]) -> Condition:
    search = pattern.search
    if not pattern.groupindex:
        return lambda entry: search(entry.line) is not None

    def condition(entry: Entry) -> bool:
        found = search(entry.line)
        if found:
            # Named groups become keys, as those of JSON are.
            entry.fields.update({n: v for n, v in found.groupdict().items() if v is not None})
        return found is not None

    return condition


def _comparison(key: str, sign: str, value: Value) -> Condition:
    def condition(entry: Entry) -> bool:
        found = entry.fields.get(key)
        if sign in ("==", "!=="):
            other = entry.fields.get(value.text)
            return found is not None and other is not None and (found == other) == (sign == "==")
        if value.text.lower() == "null" and sign in ("=", "!="):
            return (found is None) == (sign == "=")
        if found is None:
            return False
        if sign in ("=", "!="):
            return _equal(found, value) == (sign == "=")
        left = number_of(found)
        right = number_of(value.text)
        return left is not None and right is not None and _ORDER[sign](left, right)

    return condition


_ORDER: Mapping[str, Callable[[float, float], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def number_of(text: str) -> float | None:
    return float(text) if _NUMBER.fullmatch(text) else None


def _equal(found: str, value: Value) -> bool:
    if value.pattern:
        return value.pattern.search(found) is not None
    if value.network:
        try:
            return ipaddress.ip_address(found) in ipaddress.ip_network(value.text, strict=False)
        except ValueError:
            return False
    if value.nocase:
        return found.lower() == value.text.lower()
    # Numbers compare as numbers, and everything else as text.
    left = number_of(found)
    right = number_of(value.text)
    return left == right if left is not None and right is not None else found == value.text


Test = Callable[[str, str], bool]
_OPERATORS: Mapping[str, tuple[Test | None, bool]] = {
    "contains": (lambda found, text: text in found, False),
    "icontains": (lambda found, text: text in found, True),
    "starts-with": (str.startswith, False),
    "istarts-with": (str.startswith, True),
    "ends-with": (str.endswith, False),
    "in": (None, False),
    "iin": (None, True),
}


def _holds(test: Test | None, found: str, value: Value, ignores_case: bool) -> bool:
    if test is None:
        return _equal(found, Value(value.text, ignores_case, value.network, value.pattern))
    return test(found.lower(), value.text.lower()) if ignores_case else test(found, value.text)


def _fields_of(line: str) -> Iterator[tuple[str, str]]:
    if line.startswith("{"):
        try:
            yield from _flattened(json.loads(line), "")
        except ValueError:
            pass
        else:
            return
    for pair in _PAIR.finditer(line):
        yield pair[1], pair[2].strip("\"'") if pair[2][0] in "\"'" else pair[2]


def _flattened(value: object, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flattened(inner, f"{path}.{key}" if path else str(key))
    elif value is not None:
        yield path, json.dumps(value) if isinstance(value, bool | list) else str(value)
