"""`/logs` in people's own words: which phrases mean which of its words (pure)."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping

from bot.commands.logs.leql import pattern_of, with_conditions
from bot.commands.logs.names import pattern_named
from bot.formatting import quoted
from bot.questions.question import AccountDirectory
from bot.questions.sentences import (
    FILLERS,
    PREPOSITIONS,
    UNITS,
    Sentence,
    phrase,
    plain_words,
    split_names,
    with_meanings,
    without_fillers,
)
from bot.questions.window_words import NO_NAMES

# What people ask, and how it is read: shown in the documentation, and tested.
EXAMPLES = (
    ("show me errors from kitchen in the last hour", "kitchen last hour where(/error/i)"),
    ("how many timeouts were there in kitchen today", "kitchen today where(/timeout/i) count"),
    ("what happened in kitchen between 2pm and 3pm", "kitchen between 2pm and 3pm"),
    ("last 10 errors in kitchen", "kitchen where(/error/i) newest 10"),
    ("errors per hour in kitchen since yesterday", "kitchen since yesterday where(/error/i) by hour"),
    ("lines mentioning oven in kitchen and cellar today", "kitchen,cellar today where(/oven/i)"),
    ("which path has the most errors in kitchen", "kitchen where(/error/i) by path"),
    ("which logs do we have", "list"),
)  # fmt: skip

_LEVEL = r"(?:errors?|warn(?:ing)?s?|fatals?|critical|exceptions?|timeouts?|failures?|failed)"
_ONE_LINE = r"(?:error|warning|exception|timeout|failure)"
_LINES = r"(?:lines?|entries|entry|events?|messages?|logs?)"
_WORD = r"([\w./@:-]{2,60}?)"
_MENTION = r"(?:containing|contains?|matching|match(?:es)?|mentioning|mentions?|mentioned|including|includes?|saying|about)"


def _levels(match: re.Match[str]) -> str:
    """The pattern of the words for levels, of either where there are several."""
    found = [
        pattern_named(word)[1:-2]
        for word in re.findall(r"[A-Za-z]+", match[1])
        if pattern_named(word)
    ]
    return f"PATTERN:/{'|'.join(dict.fromkeys(found))}/i"


def _mentioned(match: re.Match[str]) -> str:
    word = match[1].strip("'")
    if word.lower() in NO_NAMES or word.lower() in FILLERS or word.startswith("PATTERN:"):
        return match[0]
    return f"PATTERN:{pattern_of(word)}"


def _mentioned_two(match: re.Match[str]) -> str:
    """The pattern of two words: of either, of both, or of one behind the other."""
    first, joined, second = match.groups()
    both = {first.lower(), second.lower()}
    if both & (NO_NAMES | FILLERS | PREPOSITIONS | {"by", "and", "or", "newest", "count"}):
        return match[0]
    one = pattern_of(first)
    two = pattern_of(second)
    if joined and joined.lower() == "and":
        return f"PATTERN:{one} PATTERN:{two}"
    return f"PATTERN:{one[:-2]}{'|' if joined else chr(92) + 's'}{two[1:]}"


def _grep(match: re.Match[str]) -> str:
    """The lines that grep finds, or with -v the others; -c counts them."""
    options = match[1]
    opposite = re.search(r"(?<!\S)-(?:\w*v|-invert)", options)
    count = "count " if re.search(r"(?<!\S)-(?:\w*c|-count)", options) else ""
    return f"{count}{'EXCEPT' if opposite else 'PATTERN'}:{pattern_of(match[2].strip(chr(39)))}"


def _key(match: re.Match[str]) -> str:
    key = match[1]
    is_none = key.lower() in NO_NAMES | FILLERS or re.fullmatch(rf"(?i){_LINES}|{_LEVEL}", key)
    return match[0] if is_none else f"{match[2] or ''} by {key}"


def _left_out(match: re.Match[str]) -> str:
    found = _mentioned(match)
    return found.replace("PATTERN:", "EXCEPT:", 1) if found != match[0] else found


# Keys that logs have; any other word behind `by` may be in the lines.
_KEYS = frozenset(
    ["action", "account", "api", "app", "application", "client", "code", "component", "container", "country", "customer", "device", "domain", "endpoint", "env", "environment", "event", "exception", "function", "host", "hostname", "id", "ip", "level", "logger", "message", "method", "module", "name", "namespace", "node", "operation", "org", "path", "pid", "pod", "port", "process", "protocol", "reason", "region", "request", "response", "result", "role", "route", "server", "service", "session", "severity", "source", "status", "task", "tenant", "thread", "type", "uri", "url", "user", "username", "version", "worker", "zone"]
)  # fmt: skip
_NOT_COUNTED = "".join(
    f"(?<!{word} )" for word in ("newest", "oldest", "limit", "top", "bottom", "last", "first", "latest")
)  # fmt: skip


def _by_key(match: re.Match[str]) -> str:
    """The groups of a key; marked where it is not known to be one."""
    key = match[1].lower()
    is_known = key in _KEYS or "_" in key or "." in key or re.fullmatch(UNITS, key)
    return match[0] if is_known or not key.isalpha() else f"by {match[1]} UNSURE"


_LEVEL_PHRASE = phrase(
    rf"({_LEVEL}(?:(?: ?[,;&+] ?(?:(?:and|or) )?| (?:and|or) ){_LEVEL})*)(?: {_LINES})?", _levels
)
_PHRASES = (
    phrase(r"(?:which|what|list of|list all|all|list)(?: (?:the|of|our))* logs(?: (?:do we have|are there|exist|can i (?:see|ask)|there are))?$", "LIST"),
    phrase(r"(?:\| ?)?grep ((?:-\S+ )*)(\S+)", _grep, is_sure=False),
    phrase(r"(?-i:(GET|POST|PUT|PATCH|DELETE|HEAD))", r"PATTERN:/\\b\1\\b/", is_sure=False),
    phrase(r"(?:last|latest|newest|most recent) (?:line|entry|event|message)", "newest 1"),
    phrase(r"(?:first|oldest|earliest) (?:line|entry|event|message)", "oldest 1"),
    phrase(rf"(?:last|latest|newest|most recent)(?= {_ONE_LINE}(?!\S))", "newest 1"),
    phrase(rf"(?:first|oldest|earliest)(?= {_ONE_LINE}(?!\S))", "oldest 1"),
    _LEVEL_PHRASE,
    phrase(rf"(?:with |that )?{_MENTION}(?= PATTERN:)", ""),
    phrase(r"(?:(?:but|and) )?(?:without|excluding|except(?: for)?|not|no) PATTERN:(\S+)", r"EXCEPT:\1", is_sure=False),
    phrase(r"(?:right now|currently|at the moment)", "last 15 mins", is_sure=False),
    phrase(rf"(?:find|search(?: for)?|look(?:ing)? for)(?: the (?:word|text|string))? {_WORD}", _mentioned),
    phrase(rf"(?:last|latest|newest|most recent) (\d+)(?= PATTERN:| {_LINES}(?!\S))", r"newest \1"),
    phrase(r"(?:last|latest|newest|most recent)(?= PATTERN:)", "newest"),
    phrase(r"(?:first|oldest|earliest) (\d+)(?= PATTERN:)", r"oldest \1"),
    phrase(r"(?:first|oldest|earliest)(?= PATTERN:)", "oldest"),
    phrase(rf"(?:how many|number of|count of|count all|count the)(?: {_LINES})?", "count"),
    phrase(r"(?:which|what) (\S+) (?:has|have|had|got|gets|get|sees|saw|made|makes|caused?|causes|with)(?: (?:the )?most)(?: (?:requests|calls|hits|lines|entries|events))?( PATTERN:\S+)?", _key),
    phrase(rf"(?:per|each|every) ({UNITS}|day)", r"by \1"),
    phrase(r"hourly", "by hour"),
    phrase(rf"(?:with |that )?{_MENTION}(?: the (?:words?|text|string))? {_WORD} (?:(and|or) )?{_WORD}", _mentioned_two, is_sure=False),
    phrase(rf"(?:with |that )?{_MENTION}(?: the (?:word|text|string))? {_WORD}", _mentioned),
    phrase(rf"{_NOT_COUNTED}(?:(?:status|code|http|server) )*([45]\d\d)s?(?: (?:errors?|responses?))?", r"PATTERN:/\\b\1\\b/", is_sure=False),
    phrase(r"PATTERN:/\\b(\d{3})\\b/,? (?:or|and|&) PATTERN:/\\b(\d{3})\\b/", r"PATTERN:/\\b(\1|\2)\\b/", is_sure=False),
    phrase(r"(?:(?:requests?|calls?|hits?) )?(?:from )?((?:\d{1,3}\.){3}\d{1,3})", lambda m: f"PATTERN:{pattern_of(m[1])}", is_sure=False),
    phrase(r"crash(?:es|ed|ing)?", "PATTERN:/crash/i", is_sure=False),
    phrase(r"failing|fails?|broken|wrong|down|problems?|issues?", "PATTERN:/error|fail/i", is_sure=False),
    phrase(rf"(?:without|excluding|except(?: for)?) (?:the (?:word|text) )?{_WORD}", _left_out, is_sure=False),
    phrase(r"(?:(?:but|and) )?(?:do |does )?(?:without|excluding|except(?: for)?|not|no) PATTERN:(\S+)", r"EXCEPT:\1", is_sure=False),
    phrase(r"by (?!PATTERN:)([\w./@-]+)", _by_key),
)  # fmt: skip
_FILLERS = FILLERS | frozenset(
    ["log", "logs", "line", "lines", "entry", "entries", "event", "events", "message", "messages", "doing", "happened", "happening", "happen", "going", "content", "contents", "occurred", "appeared", "came", "come", "got", "find", "found", "all", "much", "many", "see-all"]
)  # fmt: skip
_OPTIONS = frozenset({"count", "newest", "oldest", "by", "limit", "follow", "tail", "top", "live"})


_OF_THEIR_OWN = "A question wants the same lines of all its logs; ask about each log by itself."


def _have_lines_of_their_own(plain: str, names: Mapping[str, str]) -> bool:
    """Whether two logs are named with different lines each, as in `errors in eu, timeouts in us`."""
    words = with_meanings(plain.replace(",", " , "), [_LEVEL_PHRASE]).words
    kinds = [
        "line" if word.startswith("pattern:") else "log"
        for word in words.lower().split()
        if word.startswith("pattern:") or word.removesuffix("'s") in names
    ]
    changes = [kind for kind, _ in itertools.groupby(kinds)]
    return len(changes) > 3


def sentence_of(text: str, directory: AccountDirectory, kinds: tuple[str, ...]) -> Sentence | None:
    """The words of the command that a sentence means; None for what is no sentence."""
    plain = plain_words(text)
    if not plain:
        return None
    accounts = directory.of_kind([*kinds])
    names = {name.lower(): name for name in directory.logs_of(accounts)}
    named = split_names(plain, names)
    others = split_names(named.words, {name.lower(): name for name in accounts})
    found = with_meanings(others.words, _PHRASES)
    if found.words.startswith("LIST"):
        # Whatever is left is refused, and not lost.
        rest = without_fillers(found.words.removeprefix("LIST").strip(), FILLERS, ())
        return Sentence(" ".join(filter(None, ["list", *others.names, rest])), found.is_sure)
    if _have_lines_of_their_own(plain, names):
        return Sentence("", problem=_OF_THEIR_OWN)
    conditions = [
        f"{'NOT ' if mark == 'EXCEPT' else ''}{pattern}"
        for mark, pattern in re.findall(r"(?<!\S)(PATTERN|EXCEPT):(\S+)", found.words)
    ]
    words = re.sub(r"(?<!\S)(?:(?:PATTERN|EXCEPT):\S+|UNSURE)", "", found.words)
    is_sure = found.is_sure and "UNSURE" not in found.words.split()
    logs = named.names
    if not logs and len(names) == 1:
        logs = [*names.values()]
    if not logs:
        return None
    owner = others.names[0] if len(others.names) == 1 else ""
    if others.names and not owner:
        return None
    # What joins words that were not read may say something else.
    if re.search(r"(?<!\S)(?:[,;&+]|and|or)(?!\S)", words) and "between" not in words:
        return None
    subject = ",".join(quoted(f"{owner}/{name}" if owner else name) for name in logs)
    words = without_fillers(words, _FILLERS, _OPTIONS)
    where = with_conditions("", list(dict.fromkeys(conditions)))
    return Sentence(" ".join(filter(None, [subject, words, where])), is_sure)
