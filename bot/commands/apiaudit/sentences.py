"""`/apiaudit` in people's own words: which phrases mean which of its words (pure)."""

from __future__ import annotations

import re
from collections.abc import Callable

from bot.commands.apiaudit.display import GROUPS, column_named
from bot.questions.question import AccountDirectory
from bot.questions.sentences import (
    CONNECTIONS,
    FILLERS,
    PREPOSITIONS,
    UNITS,
    Sentence,
    accounts_of,
    phrase,
    plain_words,
    same_unit,
    with_meanings,
    without_fillers,
)
from bot.questions.window_words import NO_NAMES

# What people ask, and how it is read: shown in the documentation, and tested.
EXAMPLES = (
    ("who called edge the most yesterday", "edge yesterday by who"),
    ("403 on edge today", "edge today status:403"),
    ("which ip made the most calls", "by ip"),
    ("how many calls did linus make this week", "this week who:linus"),
    ("slowest calls on edge in 2h", "edge last 2h slowest"),
    ("why is edge slow", "edge slowest"),
    ("is anything failing", "failures"),
    ("show me all DELETE requests by ada@example.com", "calls action:delete who:ada@example.com"),
    ("which clients got a 401 or 403 since monday 9am", "since monday 9am by client status:401 status:403"),
)  # fmt: skip

_COLUMNS = (
    r"(ips?(?: addresse?s?)?|addresse?s?|(?:api )?clients?|credentials?|organi[sz]ations?|orgs?|hosts?|servers?"
    r"|(?:status|response|http) codes?|codes?|methods?|actions?|operations?|actors?|users?|persons?|people|callers?|accounts?)"
)
_MORE = r"(?: (?:the|unique|distinct|different|single|most active|busiest))*"
_VERBS = (
    r"(?:make|made|do|done|call|called|use|used|touch|touched|hit|access|accessed|trigger|triggered"
    r"|cause|caused|send|sent|run)"
)
_CHANGE = r"(?:change|changed|modify|modified|update|updated|edit|edited|create|created)"
_CHANGES = "action:put action:post action:patch action:delete"
_CALLS = r"(?:(?:api )?(?:calls?|requests?|hits?))"
_NAME = r"([^\W\d_][\w.@+-]{1,60}?)"
_NO_LENGTH = rf"(?! ?{UNITS}(?!\S))"
_NOT_COUNTED = "".join(
    f"(?<!{word} )" for word in ("last", "past", "top", "newest", "latest", "calls", "slowest", "than", "over", "new", "first")
)  # fmt: skip
_NO_STATUS = "".join(f"(?<!{word} )" for word in ("status", "http", "code", "error", "response"))
_METHOD = "get|post|put|patch|delete|head"
# Of these status codes, numbers of calls are typed as often.
_ROUND = r"[1-5]00"
_NO_FAILURE = r"[1-3](?:\d\d|xx)"
_SECONDS = r"(\d+(?:\.\d+)?) ?(ms|s)(?:ec(?:ond)?s?)?"
# First names that mean something else to a question.
_NAMES = "will|may|april|june|august"
_DENIED = "status:401 status:403"


def _by(match: re.Match[str]) -> str:
    column = re.sub(r"\b(?:api|ip(?= )|http|status|response) ?(?=\w)", "", match[1].lower())
    return f"by {column_named(column) or match[1]}"


def _only_calls(match: re.Match[str]) -> str:
    """`calls` where the words ask for calls, and not for how long they took."""
    return "calls" if re.match(_CALLS, match[0], re.IGNORECASE) else ""


def _method(match: re.Match[str]) -> str:
    return f"action:{match[1].lower()}"


def _who(match: re.Match[str]) -> str:
    """The filter for a person, unless the word means something else."""
    name = match["name"].removesuffix("'s").removesuffix("’s")
    return match[0] if _names_nobody(name.lower()) else f"who:{name}"


def _who_also(match: re.Match[str]) -> str:
    """The filters for two people, of whom either is meant."""
    also = _who(match)
    return f"{match[1]} {also}" if also.startswith("who:") else match[0]


def _who_and(words: str) -> Callable[[re.Match[str]], str]:
    """The filter for a person, and more words; nothing where it is no person."""

    def meaning(match: re.Match[str]) -> str:
        who = _who(match)
        return f"{who} {words}" if who.startswith("who:") else match[0]

    return meaning


def _url(match: re.Match[str]) -> str:
    """The filter for what is called, unless the word means something else."""
    name = match[1].lower()
    return match[0] if name in _NO_PEOPLE or column_named(name) else f"url:{match[1]}"


def may_be_person(word: str) -> bool:
    """Whether a word without a meaning of its own may be somebody's name."""
    lowered = word.lower()
    return lowered not in _ASKED and not _names_nobody(lowered)


def _names_nobody(lowered: str) -> bool:
    """Whether the word, in lower case, means something else than a person."""
    return lowered in _NO_PEOPLE or lowered in _NOBODY or column_named(lowered) != ""


_FILLERS = FILLERS | frozenset(
    ["api", "apis", "audit", "activity", "traffic", "made", "return", "returned", "returns", "returning", "doing", "happened", "happening", "happen", "going", "make", "makes", "making", "came", "come", "comes", "called", "calling", "call", "hit", "hits", "hitting", "used", "use", "using", "uses", "got", "gets", "getting", "went", "gone", "accessed", "access", "touched", "sent", "sends", "sending", "occurred", "seen", "total", "overview", "summary", "report", "much", "many", "up"]
)  # fmt: skip
_NO_PEOPLE = NO_NAMES | _FILLERS | PREPOSITIONS | frozenset(
    ["who", "whom", "anyone", "anybody", "someone", "somebody", "everyone", "everybody", "each", "all", "every", "most", "new", "failures", "calls", "call", "requests", "request", "api", "errors", "error", "failed", "failing", "slowest", "slow", "csv", "per", "vs", "versus", "other", "others", "not", "no", "except", "now"]
)  # fmt: skip
# Columns that calls are not counted by, and other words that are nobody's name.
_NOBODY = CONNECTIONS | frozenset(
    ["nobody", "none", "neither", "either", "both", "else", "ever", "already", "only", "even", "still", "actually", "really", "everything", "he", "she", "us", "him", "her", "these", "those", "this", "one", "some", "few", "several", "region", "regions", "country", "countries", "city", "endpoint", "endpoints", "url", "urls", "path", "paths", "service", "services", "type", "types", "date", "reason", "reasons", "hostname", "domain", "domains", "property", "properties", "group", "groups", "team", "teams", "department", "contract", "product", "products", "size", "duration", "latency", "throughput", "load", "number", "rate", "availability", "uptime", "status", "performance", "severity", "environment", "production", "staging", "name", "names", "anywhere", "here", "there", "nothing", "many"]
)  # fmt: skip
# What is asked about calls, and cannot be answered by a filter.
_ASKED = frozenset(
    ["average", "mean", "median", "peak", "maximum", "minimum", "daily", "hourly", "weekly", "monthly", "fewest", "oldest", "earliest", "first", "fastest", "fast", "quick", "different", "unique", "active", "inactive", "stopped", "stop", "broke", "recover", "recovered", "hide", "skip", "ignore", "delete", "deleted", "change", "changes", "write", "writes", "reads", "login", "logins", "purge", "volume", "keys", "tokens", "user", "port", "p50", "p90", "p99", "vs"]
)  # fmt: skip
_PEOPLE = _NAME.replace("(", "(?P<name>", 1)
_MORE_THAN = rf"(?:(?:is|are|was|were) there )?(?:any )?(?:more|less|fewer) (?:traffic|{_CALLS})"
_MORE_FAILURES = (
    r"(?:(?:is|are|was|were) there )?(?:any )?(?:more|less|fewer) (?:failures|errors|failed calls)"
)
_EARLIER_DAY = r"(yesterday|last (?:mon|tues|wednes|thurs|fri|satur|sun)day)"
_PHRASES = (
    # What the usual answer shows anyway.
    phrase(r"(?<!to )(?<!until )(?<!till )(?:right now|now|currently|at the moment)", "last 15 mins", is_sure=False),
    phrase(rf"{_MORE_THAN} (?:today )?than {_EARLIER_DAY}", r"today vs \1 same hours"),
    phrase(rf"{_MORE_THAN} (?:this (week|month) )?than last (?P<than>week|month)", same_unit),
    phrase(rf"{_MORE_FAILURES} (?:today )?than {_EARLIER_DAY}", r"today vs \1 same hours failures"),
    phrase(r"(?:error|failure) (?:rate|percentage|percent|ratio)s?", ""),
    phrase(r"(?:latency|latencies|response times?|p95)", ""),
    phrase(r"(?:took|take|takes|taking|lasting|lasted) (?:more|longer) than (\d+(?:\.\d+)? ?(?:ms|s|secs?|seconds?))", lambda m: f"slower:{m[1].replace(' ', '')}"),
    phrase(rf"(?:(?:took|take|takes|taking|lasting|lasted)(?: longer than)?|{_CALLS}|latency|response times?|duration) over {_SECONDS}", lambda m: f"{_only_calls(m)} slower:{m[1]}{m[2]}"),
    phrase(rf"over {_SECONDS}", r"slower:\1\2", is_sure=False),
    phrase(rf"({_NO_FAILURE})(?= (?:failed|failing|failures?|errors?)(?!\S))", r"status:\1", is_sure=False),
    phrase(rf"{_NOT_COUNTED}{_NO_STATUS}({_ROUND})(?= (?:{_CALLS}|failures?|failed)(?!\S))", r"status:\1", is_sure=False),
    phrase(
        rf"{_NOT_COUNTED}(?:(?:status|http|code|response|error) )*([1-5](?:\d\d|xx))(?:s|'s)?{_NO_LENGTH}(?: (?:errors?|responses?|status(?:es)?|codes?))*",
        lambda m: f"status:{m[1].lower()}",
    ),
    phrase(r"forbidden", "status:403"),
    phrase(r"unauthori[sz]ed", "status:401"),
    phrase(r"not found", "status:404"),
    phrase(r"(?:rate[- ]limited|throttled)", "status:429"),
    phrase(r"server errors?", "status:5xx"),
    phrase(r"client errors?", "status:4xx"),
    phrase(r"(?:denied|rejected|refused|blocked)", _DENIED),
    phrase(r"(?:successful|succeeded|successes)", "status:success"),
    phrase(r"(status:\S+) (?:or|and|&)(?= status:)", r"\1"),
    phrase(r"(?:latest|newest|last|most recent) (?:failure|error|(?:failed|failing) (?:call|request))", "calls 1 failures"),
    phrase(r"(?:go|goes|went|going) wrong|wrong|broken|breaking", "failures"),
    phrase(rf"(?:failing|fails?|failed|errors?|erroring|failures?)(?: {_CALLS})?", "failures"),
    phrase(r"(\d+) (?:latest|newest|last|most recent) failures", r"calls \1 failures"),
    phrase(r"(?:latest|newest|last|most recent) (\d+) failures", r"calls \1 failures"),
    phrase(r"(?:latest|newest|most recent|recent)(?= failures)", ""),
    phrase(r"down|problems?|issues?|trouble", "failures", is_sure=False),
    # What one of them is, the other is not.
    phrase(r"failures(?: calls)? (?:and|or|&) (?:all )?(?:calls|requests|status:success)(?: calls| requests)?|(?:calls|requests|status:success) (?:and|or|&) (?:all )?failures(?: calls)?", "calls", is_sure=False),
    phrase(rf"top (\d+) (?:slow|slowest|longest)(?: {_CALLS})?", r"slowest \1"),
    phrase(rf"(?:slowest|longest)(?: running)? (\d+)(?: {_CALLS})?", r"slowest \1"),
    phrase(rf"(\d+) (?:slowest|longest)(?: running)?(?: {_CALLS})?", r"slowest \1"),
    phrase(rf"(?:slowest|longest)(?: running)?(?: {_CALLS})?", "slowest"),
    phrase(rf"(?:so )?slow(?: {_CALLS})?(?! than)|slowness", "slowest"),
    phrase(r"what (?:has |have |is |was )?(?:changed?|different)(?: since| from| compared to| vs| against)? yesterday", "today vs yesterday same hours", is_sure=False),
    phrase(r"what (?:has |have |is |was )?(?:changed?|different)(?: since| from| compared to| vs| against)? last (week|month)", r"this \1 vs last \1", is_sure=False),
    phrase(r"(?:what is|anything|something) new", "new"),
    phrase(rf"(?:unknown|unseen|unfamiliar|never seen|suspicious|unusual|strange|weird) {_COLUMNS}", r"new \1", is_sure=False),
    phrase(r"suspicious|unusual|strange|weird|anomalies|anomalous", "new", is_sure=False),
    phrase(rf"(?:which|what) {_COLUMNS} (?:is|are) new", lambda m: f"new {_by(m)[3:]}"),
    phrase(rf"top (?:\d+ ){_COLUMNS}", _by, is_sure=False),
    phrase(rf"top (?:\d+ )?failures {_COLUMNS}", lambda m: f"failures {_by(m)}", is_sure=False),
    phrase(rf"(?-i:{_METHOD.upper()})(?= {_CALLS}(?!\S))", lambda m: f"action:{m[0].lower()}"),
    phrase(
        rf"(?:which|what|whose|top|busiest|most (?:active|frequent|common)|number of|how many|count of|count|list of|list|for each|each|per|by|every|unique|distinct){_MORE} {_COLUMNS}",
        _by,
    ),
    phrase(rf"get(?= {_CALLS}(?!\S))", "action:get", is_sure=False),
    phrase(rf"(?:show|list|see|get|give|display|print|view|find)(?: (?:me|us|all|the|of))* {_CALLS}", "calls"),
    phrase(rf"(?:latest|newest|last|most recent) (\d+) {_CALLS}", r"calls \1"),
    phrase(r"(?:latest|newest|last|most recent) (?:call|request)", "calls 1"),
    phrase(rf"(?:latest|newest|last|most recent|recent) {_CALLS}", "calls"),
    phrase(rf"(?:how many|number of|total(?: number of)?|count(?: of)?)(?: {_CALLS})?|how (?:often|busy)", "TOTAL"),
    phrase(r"(?:show|list|see|get|give|print)(?: me| us)? all(?: of)?(?: the)?", ""),
    phrase(rf"({_METHOD}) {_CALLS}", lambda m: f"{_method(m)} calls"),
    phrase(rf"(?-i:({_METHOD.upper()}))", _method),
    phrase(r"(action:\S+) (?:or|and|&)(?= action:)", r"\1"),
    phrase(rf"(?:by|user|actor) ({_NAMES})", r"who:\1", is_sure=False),
    phrase(rf"(?:did|has) ({_NAMES}) (?:{_VERBS}|{_CHANGE})", r"who:\1", is_sure=False),
    phrase(rf"(?:did|have|do) {_NAME} (?:or|and|&) {_NAME} {_VERBS}", r"who:\1 who:\2", is_sure=False),
    phrase(rf"(?:did|has|have|does) {_PEOPLE} {_VERBS}", _who),
    phrase(rf"(?:did|has|have|does) {_PEOPLE} {_CHANGE}", _who_and(_CHANGES), is_sure=False),
    phrase(rf"(?:did|has|have|does) {_PEOPLE} deleted?", _who_and("action:delete"), is_sure=False),
    phrase(rf"(?:(?:made|done|called|caused|triggered|sent|created) )?by(?: user| actor)? {_PEOPLE}", _who),
    phrase(r"(?:from |of )?([^\s@:/]+@[^\s@:/]+)", r"who:\1"),
    # A place or a team is as likely.
    phrase(rf"(?:(?:made|done|called|caused|triggered|sent) )?(?:from|of)(?: user| actor)? {_PEOPLE}", _who, is_sure=False),
    phrase(rf"(who:\S+),? (?:or|and|&) (?:by )?{_PEOPLE}", _who_also, is_sure=False),
    phrase(rf"(?:the|our|a) {_PEOPLE}['’]s(?: {_CALLS})?", _who, is_sure=False),
    phrase(rf"{_PEOPLE}['’]s(?: {_CALLS})?", _who),
    phrase(r"(?:user|actor|person) (?P<name>[^\s:]+)", _who),
    phrase(r"(?:from |by )?((?:\d{1,3}\.){3}\d{1,3}(?:/\d{1,2})?)", r"ip:\1"),
    phrase(r"(?:from |by )?((?=\S*::|\S*[a-f]\S*:)[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?:/\d{1,3})?)", r"ip:\1"),
    phrase(r"(ip:\S+) (?:or|and|&)(?= ip:)", r"\1"),
    phrase(r"(?:to |of |on )?(/[\w~-][^\s]*)", r"url:\1"),
    phrase(r"(?<=calls )to (?:the )?([a-z][\w.-]{1,60})", _url, is_sure=False),
    phrase(r"(?:the )?(?:property|group|contract|zone|policy|config|configuration|thing|device) ([\w.-]*[\d_][\w.-]*)", r"url:\1", is_sure=False),
    phrase(r"(?:changes|writes|edits|modifications)(?= (?:by|who:))", _CHANGES, is_sure=False),
    phrase(rf"(?<!by )who {_CHANGE}", f"by who {_CHANGES}", is_sure=False),
    phrase(r"(?<!by )who deleted", "by who action:delete", is_sure=False),
    phrase(r"(?<!by )(?:who|whom|anyone|anybody|someone|somebody)", "by who"),
    phrase(r"requests?|api calls", "calls"),
)  # fmt: skip
_OPTIONS = frozenset({"failures", "calls", "slowest", "new", "csv", "by", *GROUPS})
_MOST = (
    # The failures that are counted stay.
    phrase(r"(?:the )?most failures", "failures"),
    phrase(r"(?:the )?(?:most|mostly)(?: of(?: the| all)?)?(?: (?:calls|often|frequently|active|failures|traffic))?", ""),
)  # fmt: skip
_WITHOUT_LIST = phrase(r"calls(?! \d)", "")


_MINE = re.compile(
    r"(?i)(?<!\S)(?:(?P<whose>my|mine|your|his|her|their)(?= (?:(?:failed|failing|latest|last|newest|recent|slow|slowest|own|\d+) )*"
    r"(?:calls?|requests?|failures?|errors?)(?!\S))|by (?P<whom>me|us|you|him|her|them)(?!\S))"
)


def sentence_of(text: str, directory: AccountDirectory, kinds: tuple[str, ...]) -> Sentence | None:
    """The words of the command that a sentence means; None for what is no sentence."""
    plain = plain_words(text)
    if not plain:
        return None
    if mine := _MINE.search(plain):
        person = mine["whose"] or mine["whom"]
        return Sentence(
            "", problem=f"“{person}” names nobody here; a person is typed as `who:ada@example.com`."
        )
    named = accounts_of(plain, directory, kinds)
    found = with_meanings(named.words, _PHRASES)
    words = found.words
    if "TOTAL" in words.split() or re.search(r"(?<!\S)(?:by|slowest|new)(?!\S)", words):
        words = with_meanings(words.replace("TOTAL", ""), [_WITHOUT_LIST]).words
    if re.search(r"(?<!\S)by \w", words):
        words = with_meanings(words, _MOST).words
    words = without_fillers(" ".join(words.split()), _FILLERS, _OPTIONS)
    return Sentence(" ".join(filter(None, [*named.names, words])), found.is_sure)
