"""The words by which people have something watched, and have it quiet: `alert`, `alerts`,
`unalert`, `silence`, `unsilence` (pure).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Literal

from bot import formatting
from bot.alerts.rule import NAME, SHORTEST_EVERY, has_value
from bot.amounts import AMOUNT, DURATION, SIZE_UNITS, AmbiguousAmount, read_count
from bot.errors import BadQuestion
from bot.formatting import sanitise
from bot.questions.question import AccountDirectory, CommandName
from bot.questions.registry import COMMANDS

WORDS = ("alert", "alerts", "unalert", "silence", "unsilence")
LONGEST_SILENCE = timedelta(days=365)
_SIDE = re.compile(r"(?i)(?<!\S)(above|below)(?!\S)")
_THRESHOLD = re.compile(rf"(?i)\s*({AMOUNT})(?=\s|$)")
_OPTION = re.compile(
    rf"(?i)\s*(?:(recover)\s+({AMOUNT})|(every|for|repeat|keep)\s+({DURATION})|(each|nodata)\s+([a-z]+)|(as)\s+(\x22[^\x22]{{1,100}}\x22|\S+))(?=\s|$)"
)
_FOR_HOW_LONG = re.compile(rf"(?is)(?:for\s+)?({DURATION}|until\s+tomorrow)(?<!\s)(?:\s+(.+))?")
COMMENT = '"planned load test"'
# What people write for `above` and `below`, right before an amount.
_OTHER_SIDE = re.compile(
    r"(?i)(?<!\S)(?:(?P<above>>=?|over|exceeds?|exceeding|(?:more|greater|higher|larger) than|at least)"
    r"|(?P<below><=?|under|(?:less|fewer|lower|smaller) than|at most))\s*(?=\d)"
)
# Units that are not read: which they stand for, and how many of these they are.
_OTHER_UNIT = re.compile(
    r"(?i)\s*(?P<number>\d[\d.,_]{0,20})\s*(?:(?P<prefix>[kmgtp])(?:i?|igs?|egs?|ilo|era)(?:b|bytes?)?|(?P<long>kilo|mega|giga|tera|kibi|mebi|gibi|tebi)bytes?)(?=\s|$)"
)
_OF_QUOTA = re.compile(
    r"(?i)\s*(?P<number>\d[\d.,_]{0,20})\s*(?:%|percent)\s+of\s+(?:(?:the|my|our)\s+)?(?:monthly\s+)?quota(?=\s|$)"
)
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


def read_alert_wish(
    command: CommandName, text: str, directory: AccountDirectory
) -> AlertCommand | None:
    """What is wished for, or None where the words are something else. Raises BadQuestion."""
    verb, _, rest = text.strip().partition(" ")
    verb, rest = verb.lower(), rest.strip()
    if verb == "alerts":
        return "list"
    if verb == "alert":
        return _alert(command, rest, directory)
    if verb in ("unalert", "unsilence"):
        name, more = _name(rest, command)
        # Names may hold spaces, and people leave the quotes out.
        name = f"{name} {more}".strip()
        return DeleteAlert(name) if verb == "unalert" else Unsilence(name)
    return _silence(command, rest) if verb == "silence" else None


@dataclass(frozen=True, slots=True)
class _Typed:
    """An alert as it was typed, from which every example is made by changing what is wrong in it
    and nothing else.
    """

    command: CommandName
    text: str
    directory: AccountDirectory
    # An example that is wrong in another place, too, is mended there, so many times.
    repairs: int = 3

    def refused(self, message: str, span: tuple[int, int], right: str) -> BadQuestion:
        """A refusal with the same alert as its example, in which `right` stands where the wrong
        words stood.
        """
        start, end = span
        before, after = self.text[:start].rstrip(), self.text[end:].lstrip()
        text = " ".join(filter(None, [before, right, after]))
        return BadQuestion(
            message, self._working(text) or COMMANDS[self.command].alert_example(self.directory)
        )

    def _working(self, text: str) -> str:
        """The line of an alert that can be read: the text itself, or what its own
        refusal offers.
        """
        if not self.repairs:
            return ""
        try:
            _parsed(replace(self, text=text, repairs=self.repairs - 1), explain=True)
        except BadQuestion as error:
            return error.hint
        return f"/{self.command} alert {text}".strip()


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
    # The last one that everything behind it fits to; one before it belongs to the question, such as
    # to a where(…).
    for side in reversed(sides):
        try:
            threshold, options = _tail(typed, side, explain=explain and side is sides[0])
        except BadQuestion:
            if side is sides[0]:
                raise
            continue
        return _read(typed, side, threshold, options, explain=explain)
    raise AssertionError("the first side is read or raises")


def _no_side(typed: _Typed) -> BadQuestion:
    """Nothing says `above` or `below`: a word that nearly does is taken for it, or both are added
    at the end.
    """
    message = "What is too much? Say above or below, and how much."
    for other in reversed(list(_OTHER_SIDE.finditer(typed.text))):
        return typed.refused(message, other.span(), str(other.lastgroup))
    for word in list(re.finditer(r"\S+", typed.text))[-12:]:
        near = difflib.get_close_matches(word[0][:20].lower(), ("above", "below"), n=1, cutoff=0.75)
        if near:
            return typed.refused(message, word.span(), near[0])
    end = len(typed.text)
    return typed.refused(message, (end, end), f"above {_usual(typed.command)}")


def _usual(command: CommandName) -> str:
    """A threshold for the value that a command's alerts watch where none is named."""
    return COMMANDS[command].values.usual_threshold


def _tail(
    typed: _Typed, side: re.Match[str], *, explain: bool
) -> tuple[_Words, Mapping[str, _Words]]:
    """The threshold and the options behind it."""

    def refuse(message: str, span: tuple[int, int], right: str) -> BadQuestion:
        return typed.refused(message, span, right) if explain else BadQuestion(message)

    text, at = typed.text, side.end()
    amount = _THRESHOLD.match(text, at)
    if (of_quota := _OF_QUOTA.match(text, at)) and has_value(typed.command, "quota_percent"):
        span = (_start_of_value(typed, side), of_quota.end())
        raise refuse(
            "The part of the quota is the value quota_percent.",
            span,
            f"quota_percent {side[1]} {of_quota['number']}",
        )
    other = _OTHER_UNIT.match(text, at)
    if other and not (amount and amount.end() == other.end()):
        said = sanitise(other[0].strip(), 40)
        raise refuse(
            f"“{said}” is no threshold; sizes are in B, kB, MB, GB or TB.",
            (at, other.end()),
            _in_known_unit(other),
        )
    if not amount:
        word = re.compile(r"\s*(\S*)").match(text, at)
        assert word is not None
        said = sanitise(word[1], 40)
        raise refuse(
            f"“{said}” is no threshold." if said else "Above or below what?",
            word.span(1),
            _usual(typed.command),
        )
    options: dict[str, _Words] = {}
    at = amount.end()
    while at < len(text.rstrip()):
        option = _OPTION.match(text, at)
        if not option:
            said = sanitise(text[at:].strip(), 40)
            message = (
                f"I do not understand “{said}”; there are recover, every, for, repeat, keep, "
                "each, nodata and as."
            )
            raise refuse(message, (at, len(text)), "")
        number = next(n for n in (1, 3, 5, 7) if option[n])
        name = option[number].lower()
        if name in options:
            raise refuse(f"`{name}` stands twice.", option.span(), "")
        options[name] = _Words(option[number + 1].strip(), option.span(number + 1))
        at = option.end()
    return _Words(amount[1], amount.span(1)), options


def _read(
    typed: _Typed,
    side: re.Match[str],
    threshold: _Words,
    options: Mapping[str, _Words],
    *,
    explain: bool,
) -> CreateAlert:
    def refuse(message: str, words_: _Words, right: str) -> BadQuestion:
        return typed.refused(message, words_.span, right) if explain else BadQuestion(message)

    def amount_of(words_: _Words) -> float:
        try:
            return _amount(words_.text, value, command)
        except AmbiguousAmount as error:
            raise refuse(f"{error}.", words_, error.readings[0]) from None
        except _WrongAmount as error:
            span = words_.span
            if error.value and words_ is threshold:
                span = (_start_of_value(typed, side), span[1])
                raise refuse(
                    str(error), replace(words_, span=span), f"{error.value} {side[1]} {error.right}"
                ) from None
            raise refuse(
                str(error), words_, error.right if words_ is threshold else threshold.text
            ) from None

    def length_of(option: str) -> timedelta:
        try:
            length = formatting.read_duration(options[option].text)
        except AmbiguousAmount as error:
            raise refuse(
                f"{error}.", options[option], error.readings[0].partition(" ")[0]
            ) from None
        if length is None:
            raise refuse(
                f"“{option}” takes a duration such as 15m, 4h or 2d.", options[option], "15m"
            )
        return length

    command, before = typed.command, typed.text[: side.start()].strip()
    asked, value = _value_of(command, before)
    lengths = {
        option: length_of(option)
        for option in ("every", "for", "repeat", "keep")
        if option in options
    }
    is_above = side[1].lower() == "above"
    amount = amount_of(threshold)
    recover = amount_of(options["recover"]) if "recover" in options else None
    if recover is not None and (recover > amount if is_above else recover < amount):
        raise refuse(
            "recover lies on the calm side of the threshold.", options["recover"], threshold.text
        )
    if lengths.get("every", SHORTEST_EVERY) < SHORTEST_EVERY:
        raise refuse("every is at least 5s.", options["every"], "15m")
    each = options["each"].text.lower() if "each" in options else ""
    if each and each not in COMMANDS[command].values.subjects:
        able = " or ".join(COMMANDS[command].values.subjects)
        at = options["each"].span[0]
        without = _Words("", (typed.text.lower().rindex("each", 0, at), options["each"].span[1]))
        right = f"each {COMMANDS[command].values.subjects[0]}" if able else ""
        raise refuse(
            f"each takes {able}." if able else f"/{command} has nothing to take each of.",
            without,
            right,
        )
    no_data = options["nodata"].text.lower() if "nodata" in options else "hold"
    if no_data not in ("hold", "alert", "ok"):
        raise refuse("nodata takes hold, alert or ok.", options["nodata"], "hold")
    name = " ".join(options["as"].text.strip('"').split()) if "as" in options else ""
    if name and not NAME.fullmatch(name):
        raise refuse(
            "A name is letters, digits, dots and dashes; one with spaces stands in quotes.",
            options["as"],
            "ingest-spike",
        )
    rest: dict[str, Any] = {"every": lengths["every"]} if "every" in lengths else {}
    return CreateAlert(
        asked,
        value,
        "above" if is_above else "below",
        amount,
        recover,
        hold=lengths.get("for", timedelta(0)),
        keep=lengths.get("keep", timedelta(0)),
        repeat=lengths.get("repeat") or None,
        each=each,
        no_data=no_data,
        name=name,
        condition=f"{before[len(asked) :].strip()} {typed.text[side.start() :]}".strip(),
        **rest,
    )


def _value_of(command: CommandName, asked: str) -> tuple[str, str]:
    """The question, and the value that is named right behind it, or the usual one."""
    head, _, last = asked.rpartition(" ")
    if has_value(command, last.lower()):
        return head.strip(), last.lower()
    return asked, COMMANDS[command].values.default


def value_meant(command: CommandName, asked: str) -> str:
    """The value that the last word of a question was probably meant to be, or nothing."""
    near = difflib.get_close_matches(
        asked.rpartition(" ")[2].lower(), COMMANDS[command].values.names, n=1, cutoff=0.75
    )
    return near[0] if near else ""


class _WrongAmount(ValueError):
    """An amount that a value cannot have. `right` is what was probably meant, of another value
    where `value` names one.
    """

    def __init__(self, message: str, right: str, value: str = "") -> None:
        super().__init__(message)
        self.right, self.value = right, value


_PERCENT_OF: Mapping[str, str] = MappingProxyType(
    {"bytes": "quota_percent", "failures": "failure_percent"}
)
# A bare number this large is an exact number of bytes.
_MANY_BYTES = 1e6


def _amount(text: str, value: str, command: CommandName) -> float:
    """The number of a threshold. Raises _WrongAmount and AmbiguousAmount."""
    typed = text.strip()
    said = f"“{sanitise(typed, 40)}” is no threshold for {value}"
    plain = typed.rstrip("%").strip()
    number = read_count(plain)
    if plain != typed and not value.endswith("_percent"):
        percent = _PERCENT_OF.get(value, "")
        percent = percent if has_value(command, percent) else ""
        instead = (
            f"; a percentage is a threshold for {percent}."
            if percent
            else ", which is not a percentage."
        )
        raise _WrongAmount(
            said + instead, plain if percent or "bytes" not in value else f"{plain} GB", percent
        )
    if "bytes" in value:
        return _bytes(typed, number, said)
    if number is not None:
        return number
    is_size = (
        has_value(command, "bytes")
        and not value.endswith("_percent")
        and formatting.read_size(plain) is not None
    )
    usual = "80" if value.endswith("_percent") else "20"
    raise _WrongAmount(f"{said}.", typed if is_size else usual, "bytes" if is_size else "")


def _bytes(typed: str, number: float | None, said: str) -> float:
    """A number of bytes, which has a unit: `above 5` is hardly meant to be five bytes."""
    if number == 0:
        return 0.0
    if number is None:
        size = formatting.read_size(typed)
        if size is None:
            raise _WrongAmount(f"{said}.", "5 GB")
        return float(size)
    match = re.fullmatch(r"(?i)(\S*\d)\s*(k|thousand|million|billion)?", typed)
    assert match is not None
    digits = match[1]
    likely = {"k": "kB", "thousand": "kB", "million": "MB", "billion": "GB"}.get(
        (match[2] or "").lower()
    )
    units = [likely] if likely else ["B", "GB"] if number >= _MANY_BYTES else ["GB", "MB", "B"]
    examples = " or ".join(f"{digits} {unit}" for unit in units)
    raise _WrongAmount(
        f"“{sanitise(typed, 40)}” has no unit; write {examples}.", f"{digits} {units[0]}"
    )


def _in_known_unit(other: re.Match[str]) -> str:
    """`5 gigs` → `5 GB`; `5 GiB` → `5.37 GB`."""
    name = (other["long"] or other["prefix"]).lower()
    number, step = other["number"], "kmgtp".index(name[0]) + 1
    unit = SIZE_UNITS[step]
    is_binary = name.endswith("bi") or other[0].lower().rstrip("b").endswith("i")
    try:
        count = read_count(number)
    except AmbiguousAmount:
        count = None
    if is_binary and count is not None:
        return f"{count * 1.024**step:.2f} {unit}"
    return f"{number} {unit}"


def _start_of_value(typed: _Typed, side: re.Match[str]) -> int:
    """Where the value that is named right before `above` or `below` begins; there itself where none
    is.
    """
    before = typed.text[: side.start()].rstrip()
    last = before.rpartition(" ")[2]
    return len(before) - len(last) if has_value(typed.command, last.lower()) else side.start()


def _silence(command: CommandName, rest: str) -> Silence:
    name, more = _name_and_length(rest, command)
    quote = re.search(r'"[^"]*"', more)
    shown = f"/{command} silence {formatting.quoted(name)} 2h {quote[0] if quote else COMMENT}"
    found = _FOR_HOW_LONG.fullmatch(more)
    if not found:
        raise BadQuestion(
            "For how long? Say a duration such as 30m, 2h or 1d, or until tomorrow.", shown
        )
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


def _name_and_length(rest: str, command: CommandName) -> tuple[str, str]:
    """The name at the front, and the length with its comment. A name without quotes reaches up to
    the first length where it has spaces.
    """
    name, more = _name(rest, command)
    words = rest.split(maxsplit=8)
    if rest.startswith('"') or _FOR_HOW_LONG.fullmatch(more):
        return name, more
    for count in range(2, len(words)):
        behind = " ".join(words[count:])
        if '"' not in " ".join(words[:count]) and _FOR_HOW_LONG.fullmatch(behind):
            return " ".join(words[:count]), behind
    return name, more


def _name(rest: str, command: CommandName) -> tuple[str, str]:
    found = _NAMED.fullmatch(rest)
    if not found:
        raise BadQuestion("Which alert? Give its name.", f"/{command} alerts")
    return (found[1] or found[2]).strip(), found[3].strip()
