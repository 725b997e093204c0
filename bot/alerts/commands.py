"""The words by which people have something watched, and have it quiet: `alert`, `alerts`, `unalert`, `silence`, `unsilence` (pure)."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from bot import formatting
from bot.alerts.rule import DEFAULTS, NAME, SHORTEST_EVERY, SUBJECTS, VALUES, has_value
from bot.amounts import AMOUNT, DURATION, AmbiguousAmount, read_count
from bot.errors import BadQuestion
from bot.formatting import sanitise
from bot.questions.question import AccountDirectory, CommandName, example

WORDS = ("alert", "alerts", "unalert", "silence", "unsilence")
LONGEST_SILENCE = timedelta(days=365)
_SIDE = re.compile(r"(?i)(?<!\S)(above|below)(?!\S)")
_THRESHOLD = re.compile(rf"(?i)\s*({AMOUNT})(?=\s|$)")
_OPTION = re.compile(
    rf"(?i)\s*(?:(recover)\s+({AMOUNT})|(every|for|repeat|keep)\s+({DURATION})|(each|nodata)\s+([a-z]+)|(as)\s+(\S+))(?=\s|$)"
)
_FOR_HOW_LONG = re.compile(rf"(?is)(?:for\s+)?({DURATION}|until\s+tomorrow)(?<!\s)(?:\s+(.+))?")
COMMENT = '"planned load test"'
_NAMED = re.compile(r'(?s)\s*(?:"([^"]+)"|(\S+))\s*(.*)')


@dataclass(frozen=True, slots=True)
class CreateAlert:
    """Watch a value of this question. `name` is empty where one is to be found."""

    words: str
    value: str
    side: Literal["above", "below"]
    threshold: float
    recover: float | None = None
    every: timedelta = timedelta(minutes=15)
    hold: timedelta = timedelta(0)
    keep: timedelta = timedelta(0)
    repeat: timedelta | None = None
    each: str = ""
    no_data: str = "hold"
    name: str = ""
    # The words after the question, as they were typed.
    condition: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class DeleteAlert:
    name: str


@dataclass(frozen=True, slots=True)
class Silence:
    """Quiet for so long; None until tomorrow."""

    name: str
    length: timedelta | None
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Unsilence:
    name: str


AlertCommand = CreateAlert | DeleteAlert | Silence | Unsilence | Literal["list"]


def read_alert_wish(command: CommandName, text: str, directory: AccountDirectory) -> AlertCommand | None:
    """What is wished for, or None where the words are something else. Raises BadQuestion."""
    verb, _, rest = text.strip().partition(" ")
    verb, rest = verb.lower(), rest.strip()
    if verb == "alerts":
        return "list"
    if verb == "alert":
        return _alert(command, rest, directory)
    if verb in ("unalert", "unsilence"):
        name, more = _name(rest, command)
        if more:
            raise BadQuestion("One alert at a time, please.", f"/{command} {verb} {name}")
        return DeleteAlert(name) if verb == "unalert" else Unsilence(name)
    return _silence(command, rest) if verb == "silence" else None


def alert_example(command: CommandName, directory: AccountDirectory) -> str:
    """An alert of this command that works with the accounts there are."""
    asked = example(command, directory).partition(" ")[2]
    if command == "usage":
        return f"/usage alert {asked.replace('last 7 days', 'today')} above 5 GB every 15m"
    if command == "apiaudit":
        return f"/apiaudit alert {asked.replace('24h failures', 'last 1h')} failures above 20 for 10m"
    return f"/logs alert {asked.replace('last 20 mins', 'where(/timeout/) last 15m')} lines above 100"


@dataclass(frozen=True, slots=True)
class _Typed:
    """An alert as it was typed, from which every example is made by changing what is wrong in it and nothing else."""

    command: CommandName
    text: str
    directory: AccountDirectory

    def refused(self, message: str, span: tuple[int, int], right: str) -> BadQuestion:
        """A refusal with the same alert as its example, in which `right` stands where the wrong words stood."""
        start, end = span
        before, after = self.text[:start].rstrip(), self.text[end:].lstrip()
        example_ = " ".join(filter(None, [f"/{self.command} alert", before, right, after]))
        return BadQuestion(message, example_ if self._reads(example_) else alert_example(self.command, self.directory))

    def _reads(self, line: str) -> bool:
        try:
            _parsed(_Typed(self.command, line.partition(" alert")[2].strip(), self.directory))
        except BadQuestion:
            return False
        return True


@dataclass(frozen=True, slots=True)
class _Words:
    """Some words, and where they stand."""

    text: str
    span: tuple[int, int]


def _alert(command: CommandName, rest: str, directory: AccountDirectory) -> CreateAlert:
    return _parsed(_Typed(command, rest, directory), explain=True)


def _parsed(typed: _Typed, *, explain: bool = False) -> CreateAlert:
    """The alert. Raises BadQuestion, with its example where it is to be explained."""
    sides = list(_SIDE.finditer(typed.text))
    if not sides:
        raise _no_side(typed) if explain else BadQuestion("")
    # The last one that everything behind it fits to; one before it belongs to the question, such as to a where(…).
    for side in reversed(sides):
        try:
            threshold, options = _tail(typed, side.end(), explain=explain and side is sides[0])
        except BadQuestion:
            if side is sides[0]:
                raise
            continue
        return _read(typed, side, threshold, options, explain=explain)
    raise AssertionError("the first side is read or raises")


def _no_side(typed: _Typed) -> BadQuestion:
    """Nothing says `above` or `below`: a word that nearly does is taken for it, or both are added at the end."""
    message = "What is too much? Say above or below, and how much."
    for word in list(re.finditer(r"\S+", typed.text))[-12:]:
        near = difflib.get_close_matches(word[0][:20].lower(), ("above", "below"), n=1, cutoff=0.75)
        if near:
            return typed.refused(message, word.span(), near[0])
    end = len(typed.text)
    return typed.refused(message, (end, end), f"above {_usual(typed.command)}")


def _usual(command: CommandName) -> str:
    """A threshold for the value that a command's alerts watch where none is named."""
    return {"usage": "5 GB", "apiaudit": "20", "logs": "100"}[command]


def _tail(typed: _Typed, at: int, *, explain: bool) -> tuple[_Words, Mapping[str, _Words]]:
    """The threshold and the options behind it."""

    def refuse(message: str, span: tuple[int, int], right: str) -> BadQuestion:
        return typed.refused(message, span, right) if explain else BadQuestion(message)

    text = typed.text
    amount = _THRESHOLD.match(text, at)
    if not amount:
        word = re.compile(r"\s*(\S*)").match(text, at)
        assert word is not None
        said = sanitise(word[1], 40)
        raise refuse(f"“{said}” is no threshold." if said else "Above or below what?", word.span(1), _usual(typed.command))
    options: dict[str, _Words] = {}
    at = amount.end()
    while at < len(text.rstrip()):
        option = _OPTION.match(text, at)
        if not option:
            said = sanitise(text[at:].strip(), 40)
            message = f"I do not understand “{said}”; there are recover, every, for, repeat, keep, each, nodata and as."
            raise refuse(message, (at, len(text)), "")
        number = next(n for n in (1, 3, 5, 7) if option[n])
        name = option[number].lower()
        if name in options:
            raise refuse(f"`{name}` stands twice.", option.span(), "")
        options[name] = _Words(option[number + 1].strip(), option.span(number + 1))
        at = option.end()
    return _Words(amount[1], amount.span(1)), options


def _read(typed: _Typed, side: re.Match[str], threshold: _Words, options: Mapping[str, _Words], *, explain: bool) -> CreateAlert:
    def refuse(message: str, words_: _Words, right: str) -> BadQuestion:
        return typed.refused(message, words_.span, right) if explain else BadQuestion(message)

    def amount_of(words_: _Words) -> float:
        try:
            return _amount(words_.text, value)
        except AmbiguousAmount as error:
            raise refuse(f"{error}.", words_, error.readings[0]) from None
        except ValueError as error:
            raise refuse(str(error), words_, threshold.text if words_ is not threshold else "20") from None

    def length_of(option: str) -> timedelta:
        try:
            length = formatting.read_duration(options[option].text)
        except AmbiguousAmount as error:
            raise refuse(f"{error}.", options[option], error.readings[0].partition(" ")[0]) from None
        if length is None:
            raise refuse(f"“{option}” takes a duration such as 15m, 4h or 2d.", options[option], "15m")
        return length

    command, before = typed.command, typed.text[: side.start()].strip()
    asked, value = _value_of(command, before)
    lengths = {option: length_of(option) for option in ("every", "for", "repeat", "keep") if option in options}
    is_above = side[1].lower() == "above"
    amount = amount_of(threshold)
    recover = amount_of(options["recover"]) if "recover" in options else None
    if recover is not None and (recover > amount if is_above else recover < amount):
        raise refuse("recover lies on the calm side of the threshold.", options["recover"], threshold.text)
    if lengths.get("every", SHORTEST_EVERY) < SHORTEST_EVERY:
        raise refuse("every is at least 5s.", options["every"], "15m")
    each = options["each"].text.lower() if "each" in options else ""
    if each and each not in SUBJECTS[command]:
        able = " or ".join(SUBJECTS[command])
        at = options["each"].span[0]
        without = _Words("", (typed.text.lower().rindex("each", 0, at), options["each"].span[1]))
        right = f"each {SUBJECTS[command][0]}" if able else ""
        raise refuse(f"each takes {able}." if able else f"/{command} has nothing to take each of.", without, right)
    no_data = options["nodata"].text.lower() if "nodata" in options else "hold"
    if no_data not in ("hold", "alert", "ok"):
        raise refuse("nodata takes hold, alert or ok.", options["nodata"], "hold")
    name = options["as"].text if "as" in options else ""
    if name and not NAME.fullmatch(name):
        raise refuse("A name is letters, digits, dots and dashes.", options["as"], "ingest-spike")
    rest: dict[str, Any] = {"every": lengths["every"]} if "every" in lengths else {}
    return CreateAlert(
        asked, value, "above" if is_above else "below", amount, recover, hold=lengths.get("for", timedelta(0)),
        keep=lengths.get("keep", timedelta(0)), repeat=lengths.get("repeat") or None, each=each, no_data=no_data,
        name=name, condition=f"{before[len(asked):].strip()} {typed.text[side.start():]}".strip(), **rest,
    )  # fmt: skip


def _value_of(command: CommandName, asked: str) -> tuple[str, str]:
    """The question, and the value that is named right behind it, or the usual one."""
    head, _, last = asked.rpartition(" ")
    if has_value(command, last.lower()):
        return head.strip(), last.lower()
    return asked, DEFAULTS[command]


def value_meant(command: CommandName, asked: str) -> str:
    """The value that the last word of a question was probably meant to be, or nothing."""
    near = difflib.get_close_matches(asked.rpartition(" ")[2].lower(), VALUES[command], n=1, cutoff=0.75)
    return near[0] if near else ""


def _amount(text: str, value: str) -> float:
    """The number of a threshold. Raises ValueError, AmbiguousAmount among it."""
    plain = text.strip().rstrip("%").strip()
    number = read_count(plain)
    size = float(found) if number is None and "bytes" in value and (found := formatting.read_size(plain)) is not None else None
    if number is None and size is None:
        raise ValueError(f"“{sanitise(text.strip(), 40)}” is no threshold for {value}.")
    return number if number is not None else size or 0.0


def _silence(command: CommandName, rest: str) -> Silence:
    name, more = _name(rest, command)
    quote = re.search(r'"[^"]*"', more)
    shown = f"/{command} silence {formatting.quoted(name)} 2h {quote[0] if quote else COMMENT}"
    found = _FOR_HOW_LONG.fullmatch(more)
    if not found:
        raise BadQuestion("For how long? Say a duration such as 30m, 2h or 1d, or until tomorrow.", shown)
    comment = (found[2] or "").strip().strip('"').strip()
    if found[1].lower().startswith("until"):
        return Silence(name, None, sanitise(comment, 500))
    try:
        length = formatting.read_duration(found[1])
    except AmbiguousAmount as error:
        raise BadQuestion(f"{error}.", shown) from None
    if not length or length > LONGEST_SILENCE:
        raise BadQuestion("A silence lasts between a second and a year.", shown)
    return Silence(name, length, sanitise(comment, 500))


def _name(rest: str, command: CommandName) -> tuple[str, str]:
    found = _NAMED.fullmatch(rest)
    if not found:
        raise BadQuestion("Which alert? Give its name.", f"/{command} alerts")
    return (found[1] or found[2]).strip(), found[3].strip()
