"""LEQL as the stand-in understands it: clauses and conditions, read into functions of an entry.

Page: "Components for Building a Query". Whatever is wrong raises LeqlError with a reason.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

MOST_KEYS, MOST_SLICES, MOST_LIMIT = 5, 200, 10_000
USUAL_GROUPS = 40
FUNCTIONS = {
    "count": "count",
    "sum": "sum",
    "average": "average",
    "avg": "average",
    "mean": "average",
    "min": "min",
    "max": "max",
    "unique": "unique",
    "bytes": "bytes",
    "standarddeviation": "standarddeviation",
    "sd": "standarddeviation",
    "percentile": "percentile",
    "pctl": "percentile",
}
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_PAIR = re.compile(r'([A-Za-z_][\w.-]*)=("[^"]*"|\'[^\']*\'|[^\s,;]+)')
_CLAUSE = re.compile(r"\s*([A-Za-z]+)\s*\(")
_WORD = re.compile(r"[^\s()\[\],=!<>\"'/][^\s()\[\],=!<>\"']*")
_SIGN = re.compile(r"!==|==|!=|<=|>=|=|<|>")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


class LeqlError(ValueError):
    """A query that is not accepted, with the reason."""


@dataclass(slots=True)
class RecordedRequest:
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


Condition = Callable[[RecordedRequest], bool]


@dataclass(slots=True)
class Statement:
    """A query: which entries match, and what is computed of them."""

    matches: Condition = lambda _: True
    function: str = ""
    key: str = ""
    percent: float = 0.0
    group_by: list[str] = field(default_factory=list)
    having: tuple[str, float] | None = None
    descending: bool = True
    is_sorted: bool = False
    limit: int = USUAL_GROUPS
    slices: int = 10
    slice_length: timedelta | None = None

    @property
    def is_statistical(self) -> bool:
        return bool(self.function or self.group_by)


def parse(text: str) -> Statement:
    """The query in the text; an empty one matches everything."""
    statement, at = Statement(), 0
    seen: set[str] = set()
    while at < len(text.rstrip()):
        clause = _CLAUSE.match(text, at)
        if not clause:
            raise LeqlError(f"Unexpected input at position {at}: {text[at : at + 20].strip()}")
        name, start = clause[1].lower(), clause.end()
        end = _closing(text, start)
        if name in seen or name not in _CLAUSES:
            raise LeqlError(f"Unexpected clause {name} at position {at}")
        seen.add(name)
        _CLAUSES[name](statement, text[start:end].strip())
        at = end + 1
    if statement.group_by and not statement.function:
        statement.function = "count"
    if "timeslice" in seen and not statement.is_statistical:
        raise LeqlError("timeslice needs a calculate clause")
    return statement


def _closing(text: str, at: int) -> int:
    """The position of the bracket that closes the one before `at`."""
    depth = 1
    for kind, _, start, _ in _tokens(text, at):
        depth += (kind == "(") - (kind == ")")
        if not depth:
            return start
    raise LeqlError("Missing closing parenthesis")


Token = tuple[str, str, int, int]


def _tokens(text: str, at: int = 0) -> Iterator[Token]:
    """Kind, text, start and end of each token. The kinds are the brackets, `,`, `sign`, `regex`,
    `quoted` and `word`.
    """
    while at < len(text):
        char = text[at]
        if char.isspace():
            at += 1
            continue
        start = at
        if char in "()[],":
            kind, value, at = char, char, at + 1
        elif sign := _SIGN.match(text, at):
            kind, value, at = "sign", sign[0], sign.end()
        elif char in "\"'":
            kind = "quoted"
            value, at = _quoted(text, at)
        elif char == "/":
            kind = "regex"
            value, at = _regex(text, at)
        elif word := _WORD.match(text, at):
            kind, value, at = "word", word[0], word.end()
        else:
            raise LeqlError(f"Unexpected input at position {at}: {char}")
        yield kind, value, start, at


def _quoted(text: str, at: int) -> tuple[str, int]:
    mark = text[at : at + 3] if text[at : at + 3] in ("'''", '"""') else text[at]
    end = text.find(mark, at + len(mark))
    if end < 0:
        raise LeqlError(f"Missing closing quote for the one at position {at}")
    return text[at + len(mark) : end], end + len(mark)


def _regex(text: str, at: int) -> tuple[str, int]:
    end = at + 1
    while end < len(text) and text[end] != "/":
        end += 2 if text[end] == "\\" else 1
    if end >= len(text):
        raise LeqlError(f"Missing closing / for the regular expression at position {at}")
    flags = re.compile(r"[a-z]*").match(text, end + 1)
    assert flags is not None
    return text[at : flags.end()], flags.end()


def _where(statement: Statement, text: str) -> None:
    tokens = list(_tokens(text))
    loose = len(tokens) > 1 and tokens[-2][0] == "," and tokens[-1][1].lower() == "loose"
    if not tokens:
        raise LeqlError("The where clause is empty")
    reader = _Reader(tokens[:-2] if loose else tokens, loose=loose)
    statement.matches = reader.whole()


def _calculate(statement: Statement, text: str) -> None:
    found = re.fullmatch(r"([A-Za-z]+)\s*(?:\(\s*([\d.]+)\s*\))?\s*(?::\s*(.+?))?", text, re.DOTALL)
    name = FUNCTIONS.get(found[1].lower()) if found else None
    if not found or not name:
        raise LeqlError(f"Unknown function in calculate: {text[:40]}")
    if name not in ("count", "bytes") and not found[3]:
        raise LeqlError(f"The function {found[1]} needs a key, as in calculate({found[1]}:key)")
    if (name == "percentile") != bool(found[2]):
        raise LeqlError("percentile takes a number, as in calculate(percentile(95):key)")
    statement.function, statement.key = name, _name(found[3] or "")
    statement.percent = float(found[2] or 0)
    if not 0 <= statement.percent <= 100:
        raise LeqlError("percentile takes a number from 0 to 100")


def _group_by(statement: Statement, text: str) -> None:
    statement.group_by = [_name(part) for part in text.split(",")]
    if not all(statement.group_by) or len(statement.group_by) > MOST_KEYS:
        raise LeqlError(f"groupby takes one to {MOST_KEYS} keys")


def _having(statement: Statement, text: str) -> None:
    found = re.fullmatch(
        r"([A-Za-z]+)(?:\(\d+\))?(?::\S+?)?\s*(>=|<=|!=|=|>|<)\s*([-+\d.eE]+)", text
    )
    if not found or found[1].lower() not in FUNCTIONS:
        raise LeqlError(f"Cannot read having({text[:40]})")
    statement.having = found[2], float(found[3])


def _sort(statement: Statement, text: str) -> None:
    direction = text.lower().partition("#")[0]
    if direction not in ("asc", "desc"):
        raise LeqlError("sort takes asc or desc")
    statement.is_sorted, statement.descending = True, direction == "desc"


def _limit(statement: Statement, text: str) -> None:
    first = text.partition(",")[0].strip()
    if not first.isdigit() or not 1 <= int(first) <= MOST_LIMIT:
        raise LeqlError(f"limit takes a number from 1 to {MOST_LIMIT}")
    statement.limit = int(first)


def _timeslice(statement: Statement, text: str) -> None:
    found = re.fullmatch(r"(\d{1,6})([smhdw]?)", text)
    if not found or not int(found[1]):
        raise LeqlError("timeslice takes a number of slices or a length such as 30m")
    if found[2]:
        statement.slice_length = timedelta(seconds=int(found[1]) * UNITS[found[2]])
    elif int(found[1]) > MOST_SLICES:
        raise LeqlError(f"timeslice takes at most {MOST_SLICES} slices")
    else:
        statement.slices = int(found[1])


def _select(statement: Statement, text: str) -> None:
    """Which keys are shown, which leaves the entries as they are."""


_CLAUSES: Mapping[str, Callable[[Statement, str], None]] = {
    "where": _where,
    "calculate": _calculate,
    "groupby": _group_by,
    "having": _having,
    "sort": _sort,
    "limit": _limit,
    "timeslice": _timeslice,
    "select": _select,
}


def _name(text: str) -> str:
    return text.strip().strip("\"'").strip()


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
            self.at = begin
            return None
        _, word = self._next()
        test, ignores_case = operator
        values = self._list() if self._kind() == "[" else [self._value()]
        together = all if word.lower().endswith("-all") else any

        def condition(entry: RecordedRequest) -> bool:
            found = entry.fields.get(key)
            if found is None:
                return False
            return together(_holds(test, found, value, ignores_case) for value in values) != negated

        return condition

    def _keyword(self, kind: str, text: str) -> Condition:
        if kind == "regex":
            return _pattern_condition(_compiled(text))
        if kind not in ("word", "quoted"):
            raise LeqlError(f"Unexpected input: {text[:40]}")
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

    def condition(entry: RecordedRequest) -> bool:
        found = search(entry.line)
        if found:
            entry.fields.update({n: v for n, v in found.groupdict().items() if v is not None})
        return found is not None

    return condition


def _comparison(key: str, sign: str, value: Value) -> Condition:
    def condition(entry: RecordedRequest) -> bool:
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
        left, right = number_of(found), number_of(value.text)
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
    left, right = number_of(found), number_of(value.text)
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
