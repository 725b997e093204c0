"""The words and the form of `/logs LOG[,LOG...] [window] [where(LEQL)] [limit N]`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from bot.amounts import AmbiguousAmount, read_count
from bot.commands.logs.where_clause import pattern_of, split_where_clause, with_patterns
from bot.errors import BadQuestion, SuggestedQuestion
from bot.formatting import quoted, sanitise
from bot.questions.context import NO_NAMES, Context
from bot.questions.form import LOG, FormField, FormValues, read_form_window, refused_at
from bot.questions.question import Question, QuestionParts
from bot.questions.windows import FILLER_WORDS, ParsedWindow, strip_filler_words
from providers.sources import MOST_LINES, MOST_LOGS

LINES = "rest"
_LOG_ID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")


@dataclass(frozen=True, slots=True)
class LogRef:
    """A log as it was typed: a configured name or an id with its account where that is known by
    now.
    """

    typed: str
    account: str | None = None
    id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogsQuestion(Question):
    """Which logs are asked for, and which of their lines."""

    command: str = "logs"
    logs: tuple[LogRef, ...]
    leql: str = ""
    limit: int | None = None

    @property
    def subject(self) -> str:
        return self.parts.subject


def read_logs(text: str, context: Context) -> LogsQuestion:
    context.accounts()
    text_without, leql = split_where_clause(text, context)
    names, rest = _log_names(text_without, context)
    rest, limit = _limit(rest, context)
    logs = tuple(_log_word(name, context) for name in names)
    parts = _parts(names, " ".join(strip_filler_words(rest)), leql, limit)
    window = _logs_window(parts, names, leql, limit, context)
    return _question(text, window, logs, parts, leql, limit)


def read_logs_form(values: FormValues, context: Context) -> LogsQuestion:
    context.accounts()
    with refused_at(LOG):
        names, others = _log_names(values.get(LOG, ""), context)
        if others:
            # One name with spaces in it; the form sends names without quotes.
            names = [values[LOG].strip()]
        logs = tuple(_log_word(name, context) for name in names)
    with refused_at(LINES):
        leql, limit = _lines_of_form(values.get(LINES, ""), context)
    window, words = read_form_window(values, context)
    parts = _parts(names, words, leql, limit)
    return _question(str(parts), window, logs, parts, leql, limit)


def log_fields(question: LogsQuestion | None) -> list[FormField]:
    """The input of the form for the logs, searched by name."""
    chosen = question.parts.subject if question else ""
    return [FormField(LOG, "Log", "log", chosen, placeholder="Search by name", is_optional=False)]


def line_fields(question: LogsQuestion | None) -> list[FormField]:
    """The inputs of the form behind log and window."""
    typed = question.parts.rest if question else ""
    label = "Only lines that match"
    return [FormField(LINES, label, "text", typed, placeholder="where(/error/i)", longest=3000)]


def _lines_of_form(text: str, context: Context) -> tuple[str, int | None]:
    """The where(…) and the limit that stand in the form. Raises BadQuestion for anything else."""
    others, leql = split_where_clause(text, context)
    words, limit = _limit(others.split(), context)
    if not words:
        return leql, limit
    _, patterns, _ = _logs_and_patterns(words, context)
    if patterns:
        right = with_patterns(leql, patterns)
        raise BadQuestion(f"Lines are filtered by where(…): {right}.", context.example)
    raise BadQuestion(
        f"“{sanitise(' '.join(words), 40)}” says nothing of lines; write where(/error/i).",
        context.example,
    )


def _parts(names: Sequence[str], window: str, leql: str, limit: int | None) -> QuestionParts:
    return QuestionParts(",".join(map(quoted, names)), window, _rest(leql, limit))


def _rest(leql: str, limit: int | None) -> str:
    return " ".join(filter(None, [leql, f"limit {limit}" if limit else ""]))


def _question(
    text: str,
    window: ParsedWindow,
    logs: tuple[LogRef, ...],
    parts: QuestionParts,
    leql: str,
    limit: int | None,
) -> LogsQuestion:
    accounts = tuple(dict.fromkeys(log.account for log in logs if log.account))
    return LogsQuestion(
        text=text,
        window=window,
        accounts=accounts,
        parts=parts,
        logs=logs,
        leql=leql,
        limit=limit,
    )


def _logs_window(
    parts: QuestionParts, names: Sequence[str], leql: str, limit: int | None, context: Context
) -> ParsedWindow:
    """The window. Raises BadQuestion with other logs and patterns among its words where they
    belong.
    """
    try:
        return context.window(parts)
    except BadQuestion:
        logs, patterns, window = _logs_and_patterns(parts.window.split(), context)
        if not context.explains or not (logs or patterns):
            raise
        clause = with_patterns(leql, patterns)
        meant = _parts(list(dict.fromkeys([*names, *logs])), " ".join(window), clause, limit)
        line = context.working(str(meant))
        said = ["Several logs have commas between them"] if logs else []
        said += ["lines are filtered by where(…)"] if patterns else []
        message = " and ".join(said)
        raise SuggestedQuestion(f"{message[0].upper()}{message[1:]}.", line) from None


def _logs_and_patterns(
    words: Sequence[str], context: Context
) -> tuple[list[str], list[str], list[str]]:
    """The configured logs and the patterns that the words name, and the words that are left."""
    known = {name.lower(): name for logs in context.directory.logs.values() for name in logs}
    logs, patterns, left = list[str](), list[str](), list[str]()
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        lowered = word.lower().strip(",")
        if lowered in known:
            logs.append(known[lowered])
        elif lowered == "grep" and waiting:
            while waiting[0].startswith("-") and len(waiting) > 1:
                waiting.pop(0)
            patterns.append(pattern_of(waiting.pop(0).strip("\"'")))
        elif match := re.fullmatch(r"(?i)(?:level|severity|loglevel)[:=](\w{1,20})", lowered):
            patterns.append(f"/{match[1]}/i")
        elif lowered in _LEVEL_WORDS:
            patterns.append(f"/{_LEVEL_WORDS[lowered]}/i")
        elif re.fullmatch(r"/[^/]+/i?", word):
            patterns.append(word)
        else:
            left.append(word)
    return (
        logs,
        list(dict.fromkeys(patterns)),
        [word for word in left if word.lower() not in _JOINING or not (logs or patterns)],
    )


_LEVEL_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "error": "error",
        "errors": "error",
        "failures": "fail",
        "failed": "failed",
        "warn": "warn",
        "warning": "warn",
        "warnings": "warn",
        "fatal": "fatal",
        "critical": "critical",
        "exceptions": "exception",
        "exception": "exception",
        "timeouts": "timeout",
        "timeout": "timeout",
    }
)
# They stood between what was taken out of a window.
_JOINING = frozenset({"and", "|", "with", "only", "&", "+"})


def _log_names(text: str, context: Context) -> tuple[list[str], list[str]]:
    """The names of the list at the front, which may be quoted, with `,` or `and` between them, and
    the words after it.
    """
    text = text.strip()
    known = {name.lower() for logs in context.directory.logs.values() for name in logs}
    while (word := text.partition(" ")[0].lower()) in FILLER_WORDS and word not in known:
        text = text[len(word) :].strip()
    names: list[str] = []
    # One name more than may be asked is read, and refused; the rest is not looked at.
    while len(names) <= MOST_LOGS and (
        match := re.match(r'\s*(?:"([^"]+)"|([^\s,"]+))\s*(,?)', text)
    ):
        name = (match[1] or match[2]).strip()
        if (
            names
            and match[2]
            and name.lower() not in known
            and (name.lower() in NO_NAMES or context.is_window(text))
        ):
            break
        # A vendor's own addresses may join ids by colons.
        names += name.split(":") if all(map(_LOG_ID.fullmatch, name.split(":"))) else [name]
        text = text[match.end() :]
        another = re.match(r'(?i)and\s+(?=("|[a-z][^\s,"]*))', text)
        if another and another[1].lower() not in (*NO_NAMES, *FILLER_WORDS):
            text = text[another.end() :]
        elif not match[3]:
            break
    if not names or not all(names):
        raise BadQuestion(
            "Which log?", context.working(f"{context.example.split()[1]} {context.text}")
        )
    if len(names) > MOST_LOGS:
        raise BadQuestion(
            f"At most {MOST_LOGS} logs at once, and these are more.",
            context.working(",".join(map(quoted, names[:MOST_LOGS]))),
        )
    return list(dict.fromkeys(names)), text.split()


def _limit(words: list[str], context: Context) -> tuple[list[str], int | None]:
    lowered = [word.lower().rstrip(":") for word in words]
    if "limit" not in lowered:
        return words, None
    at = lowered.index("limit")
    after = words[at + 1 : at + 3]
    length = 2 if len(after) == 2 and after[1].lower().rstrip(",") in ("thousand", "million") else 1
    typed = " ".join(after[:length])
    wrong = " ".join([words[at], typed]).strip()
    try:
        number = read_count(typed.rstrip(","))
    except AmbiguousAmount as error:
        raise BadQuestion(
            f"{error}.", context.instead(wrong, f"limit {error.readings[1]}")
        ) from None
    if number is None or number != int(number) or not 1 <= number <= MOST_LINES:
        raise BadQuestion(
            f"limit takes a whole number from 1 to {MOST_LINES:,}.",
            context.instead(wrong, "limit 500"),
        )
    return words[:at] + words[at + 1 + length :], int(number)


def _log_word(typed: str, context: Context) -> LogRef:
    """A configured name is known here; `account/name` says which account; an id or a log's own name
    is looked up later.
    """
    directory = context.directory
    account, _, name = typed.rpartition("/")
    scope = (
        {account: directory.logs.get(account, {})}
        if account in directory.accounts
        else directory.logs
    )
    name = name if account in directory.accounts else typed
    found = [(owner, logs[name]) for owner, logs in scope.items() if name in logs]
    if not found:
        lowered = name.lower()
        found = [
            (owner, key)
            for owner, logs in scope.items()
            for known, key in logs.items()
            if known.lower() == lowered
        ]
    owner = account if account in directory.accounts else None
    if len(found) > 1:
        owners = [o for o, _ in found]
        raise BadQuestion(
            f"“{sanitise(name, 60)}” is a log of {' and of '.join(owners)}; say which.",
            context.instead(typed, f"{owners[0]}/{name}"),
        )
    if found:
        return LogRef(typed, account=found[0][0], id=found[0][1])
    return LogRef(name, account=owner, id=name.lower() if _LOG_ID.fullmatch(name) else None)
