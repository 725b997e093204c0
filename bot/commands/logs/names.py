"""The logs that a question names, and words that name logs or patterns among others (pure)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

from msgspec import Struct

from bot.commands.logs.leql import pattern_of
from bot.errors import BadQuestion
from bot.formatting import quoted, sanitise
from bot.questions.context import Context
from bot.questions.sentences import FILLERS
from bot.questions.window_words import NO_NAMES
from bot.questions.windows import FILLER_WORDS, strip_punctuation
from providers.sources import MOST_LOGS

# Words that ask, at the front of a sentence.
_NO_LOGS = FILLER_WORDS | FILLERS | {"who", "many", "much"}
_ACCOUNT_AND_LOG = re.compile(r'(?P<account>[^\s,"]+)\s+(?:"(?P<quoted>[^"]+)"|(?P<log>[^\s,"]+))')
_LOG_ID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")

# What is typed in front of a log as in a shell or a sentence.
_VERB = re.compile(
    r"(?i)\s*(?P<verb>(?P<word>count|tail|head|follow|newest|latest|oldest|earliest|(?:first|last)(?=\s+\d))"
    r"(?:\s+-f|\s+(?:-n\s+)?-?\d{1,6}(?!\S))?(?:\s+(?:lines|entries|events)(?!\S))?)"
    r"\s+(?:(?:of|from|in|on|the|lines)\s+){0,3}"
)


class LogRef(Struct, frozen=True):
    """A log as it was typed: a configured name or an id with its account where that is known by
    now.
    """

    typed: str
    account: str | None = None
    id: str | None = None


def split_logs_and_patterns(
    words: Sequence[str], context: Context
) -> tuple[list[str], list[str], list[str]]:
    """The configured logs and the patterns that the words name, and the words that are left."""
    known = {name.lower(): name for logs in context.directory.logs.values() for name in logs}
    logs = list[str]()
    patterns = list[str]()
    left = list[str]()
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        bare = strip_punctuation(word)
        lowered = bare.lower()
        if lowered in known:
            logs.append(known[lowered])
        elif lowered == "grep" and waiting:
            # Options of grep, such as -i, which is what is done anyway; -v is the opposite.
            opposite = ""
            while waiting[0].startswith("-") and len(waiting) > 1:
                option = waiting.pop(0)
                is_opposite = option == "--invert-match" or re.fullmatch(r"-\w*v\w*", option)
                opposite = "NOT " if is_opposite else opposite
            found = pattern_of(strip_punctuation(waiting.pop(0)).strip("\"'"))
            patterns.append(f"{opposite}{found}")
        elif lowered in _LEVEL_WORDS:
            # `errors and warnings` are lines of either, `timeout errors` are both.
            alternatives = [_LEVEL_WORDS[lowered]]
            while place := _place_of_alternative(word, waiting):
                word = waiting[place - 1]
                del waiting[:place]
                alternatives.append(_LEVEL_WORDS[strip_punctuation(word).lower()])
            patterns.append(f"/{'|'.join(dict.fromkeys(alternatives))}/i")
        elif re.fullmatch(r"/[^/]+/i?", bare):
            patterns.append(bare)
        else:
            left.append(word)
    return (
        logs,
        list(dict.fromkeys(patterns)),
        [word for word in left if word.lower() not in _JOINING or not (logs or patterns)],
    )


def pattern_named(word: str) -> str:
    """The pattern of the lines that a word such as `errors` stands for; empty for other words."""
    found = _LEVEL_WORDS.get(word.lower())
    return f"/{found}/i" if found else ""


def _place_of_alternative(word: str, after: Sequence[str]) -> int:
    """The position, from 1, of a level word that `and`, `or` or a comma joins to the word; 0 if
    there is none.
    """
    joining = 0
    while joining < min(len(after), 2) and after[joining].lower() in _ALTERNATIVE:
        joining += 1
    if joining == len(after) or not (joining or word.endswith((",", ";"))):
        return 0
    is_level = strip_punctuation(after[joining]).lower() in _LEVEL_WORDS
    return joining + 1 if is_level else 0


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
        "failure": "fail",
        "warns": "warn",
        "fatals": "fatal",
    }
)
_ALTERNATIVE = frozenset({"and", "or", "&", "+", ","})
# Words that joined what was taken out of a window.
_JOINING = frozenset({"and", "|", "with", "only", "&", "+"})


def with_verb_behind_logs(text: str, context: Context) -> str:
    """The words with what is done at the front, such as `count`, `tail -50` or `last 20 lines of`,
    behind the configured logs that it is done to.
    """
    found = _VERB.match(text)
    known = {name.lower() for logs in context.directory.logs.values() for name in logs}
    if not found or found["word"].lower() in known:
        return text
    logs = list[str]()
    words = text[found.end() :].split()
    while words and _begins_log(words, known, is_first=not logs):
        logs.append(words.pop(0))
    return " ".join([*logs, found["verb"], *words]) if logs else text


def _begins_log(words: Sequence[str], known: Collection[str], *, is_first: bool) -> bool:
    """Whether the first of the words names a configured log, or joins two."""
    if words[0].lower() == "and" and not is_first and len(words) > 1:
        return words[1].lower().strip(",") in known
    return all(name in known for name in words[0].lower().rstrip(",").split(","))


def split_log_names(text: str, context: Context) -> tuple[list[str], list[str]]:
    """The names of the list at the front, which may be quoted, with `,` or `and` between them, and
    the words after it.
    """
    text = text.strip()
    known = {name.lower() for logs in context.directory.logs.values() for name in logs}
    while (word := text.partition(" ")[0].lower()) in _NO_LOGS and word not in known:
        text = text[len(word) :].strip()
    account, text = _split_account(text, known, context)
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
            f"At most {MOST_LOGS} logs can be asked for at once.",
            context.working(",".join(map(quoted, names[:MOST_LOGS]))),
        )
    if account:
        names = [name if "/" in name else f"{account}/{name}" for name in names]
    return list(dict.fromkeys(names)), text.split()


def _split_account(text: str, known: Collection[str], context: Context) -> tuple[str, str]:
    """The account before the name of a log, as in `eu kitchen 20m`, and the text after it; empty
    where the text begins with a log. A unique prefix of a name is enough.
    """
    match = _ACCOUNT_AND_LOG.match(text)
    if not match or match["account"].lower() in known:
        return "", text
    log = match["quoted"] or match["log"].lower()
    if not (match["quoted"] or log in known or _LOG_ID.fullmatch(log)):
        return "", text
    account = named_account(match["account"], context)
    return (account, text[match.end("account") :].strip()) if account else ("", text)


def named_account(word: str, context: Context) -> str:
    """The account that a word names, or begins the name of; empty if it is none or several."""
    accounts = context.accounts_named(word)
    return accounts[0] if len(accounts) == 1 else ""


def read_log(typed: str, context: Context) -> LogRef:
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
    # As it is written first: names may differ in nothing but capitals.
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
            f"“{sanitise(name, 60)}” is a log in {' and in '.join(owners)}; specify which.",
            context.instead(typed, f"{owners[0]}/{name}"),
        )
    if found:
        return LogRef(typed, account=found[0][0], id=found[0][1])
    return LogRef(name, account=owner, id=name.lower() if _LOG_ID.fullmatch(name) else None)
