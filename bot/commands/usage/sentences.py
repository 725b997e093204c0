"""`/usage` in people's own words: which phrases mean which of its words (pure)."""

from __future__ import annotations

from bot.questions.question import AccountDirectory
from bot.questions.sentences import (
    FILLERS,
    Sentence,
    accounts_of,
    phrase,
    plain_words,
    same_unit,
    with_meanings,
    without_fillers,
)

# What people ask, and how it is read: shown in the documentation, and tested.
EXAMPLES = (
    ("how much did we log this week", "this week"),
    ("usage per log last week", "last week per log"),
    ("which log sent the most yesterday", "yesterday per log"),
    ("which log grew the most this week", "this week vs previous"),
    ("how much data did we ingest in november, week by week", "november by week"),
    ("how much of the quota is left", "this month"),
    ("is it more than last month", "this month vs last month"),
)

_LOGS = r"(?:logs?|log ?sets?)"
_GREW = (
    r"(?:grew|grow|grown|growing|increased?|increasing|rose|risen|rising|jump(?:ed)?|spiked?|exploded?|changed?|shrank|shrunk|dropped"
    r"|(?:go|goes|went|gone|going) (?:up|down)|got (?:bigger|larger|smaller))"
)
_HAS = r"(?:(?:has|have|is|are|did|does) )?"
_QUOTA = (
    r"(?:quotas?|budget|allowance|forecasts?|projected|projection|month[- ]end|on track|licen[cs]e)"
)


_PHRASES = (
    phrase(r"(?:how many|number of|count of|all|all of) (?:the |our )?logs(?: (?:do we have|are there|there are|exist))?", "PER_LOG", is_sure=False),
    phrase(r"(?:big|large|small|smallest|least(?: used)?|quietest) logs?", "PER_LOG", is_sure=False),
    phrase(rf"(?:which|what) {_LOGS} (?:sent|logged|used|ingested|sends|logs|uses|(?:has|had|is|was))(?: the)? (?:least|fewest|smallest|lowest)(?: data)?", "PER_LOG", is_sure=False),
    phrase(r"(?:our |the )?(?:usage )?growth", "GREW", is_sure=False),
    phrase(r"how (?:big|large) (?:is|are|was|were)", ""),
    phrase(r"(?:day by day|per day|each day|every day|daily)", "by day"),
    phrase(r"(?:week by week|per week|each week|every week|weekly)", "by week"),
    phrase(r"(?:month by month|per month|each month|every month|monthly)", "by month"),
    phrase(rf"(?:which|what) {_LOGS} {_HAS}{_GREW}(?: (?:the )?(?:most|fastest))?", "GREW"),
    phrase(rf"(?:fastest|most) growing {_LOGS}", "GREW"),
    phrase(rf"(?:is|are|did|has|have|does) (?:our |the )?(?:usage|data|volume|it|ingest(?:ion)?) {_GREW}", "GREW"),
    phrase(rf"what {_HAS}{_GREW}(?: (?:the )?most)?(?: since| from| compared to| against)? yesterday", "yesterday vs previous", is_sure=False),
    phrase(rf"what {_HAS}{_GREW}(?: (?:the )?most)?(?: since| from| compared to| against)? last (week|month|year)", r"this \1 vs last \1", is_sure=False),
    phrase(rf"(?:what|why) {_HAS}(?:our |the )?(?:usage |data )?{_GREW}(?: (?:the )?most)?", "GREW", is_sure=False),
    phrase(r"GREW since yesterday", "yesterday vs previous", is_sure=False),
    phrase(r"GREW (?:since|from|compared to|against) last (week|month|year)", r"this \1 vs last \1", is_sure=False),
    phrase(r"(?:(?:(today)|this (week|month|year)) )?(?:more|less|higher|lower)(?: this (week|month|year))? than last (?P<than>week|month|year)", same_unit),
    phrase(r"(?:more|less|higher|lower) than (?:the )?(?:previous|before|usual)", "GREW", is_sure=False),
    phrase(rf"top \d+ {_LOGS}", "PER_LOG", is_sure=False),
    phrase(
        rf"(?:which|what|top|biggest|largest|noisiest|busiest|heaviest|for each|each|for every|every|per|by)(?: (?:the|of|our|top|biggest|largest|single|individual))* {_LOGS}(?: by {_LOGS})?",
        "PER_LOG",
    ),
    phrase(r"log by log|broken down by logs?|split by logs?", "PER_LOG"),
    phrase(r"(?:which|what|each|every|per|by|for each|across all) accounts?", "all"),
    phrase(r"(?:which|what)(?: is| was)?(?: the)?(?: (?:busiest|biggest|largest|peak|worst|highest))? days?|(?:busiest|biggest|largest|peak|worst|highest) days?", "by day"),
    phrase(rf"(?:(?:exceed|over|reach|hit|run out of|within|under|below|above)(?: (?:our|the|my))? )?{_QUOTA}(?: (?:is|are|do we have))?(?: (?:left|used|remaining|usage))?", "QUOTA"),
    phrase(r"(?:left|remaining)(?: over)?", "QUOTA"),
)  # fmt: skip
_FILLERS = FILLERS | frozenset(
    ["usage", "data", "log", "logs", "logged", "logging", "ingest", "ingested", "ingestion", "ingesting", "volume", "amount", "much", "many", "send", "sent", "sending", "gb", "gigabytes", "bytes", "mb", "tb", "total", "totals", "used", "use", "using", "consumed", "consumption", "overall", "number", "report", "summary", "account", "size"]
)  # fmt: skip
_OPTIONS = frozenset({"per_log", "per", "csv", "vs", "by"})


def sentence_of(text: str, directory: AccountDirectory, kinds: tuple[str, ...]) -> Sentence | None:
    """The words of the command that a sentence means; None for what is no sentence."""
    plain = plain_words(text)
    if not plain:
        return None
    named = accounts_of(plain.replace(", ", " "), directory, kinds)
    found = with_meanings(named.words, _PHRASES)
    words = found.words
    is_sure = found.is_sure
    if "PER_LOG" in words or "by " in words or "all" in words.split() or "GREW" in words:
        words = with_meanings(words, [_MOST]).words
    grew = "GREW" in words
    quota = "QUOTA" in words
    words = words.replace("GREW", "").replace("QUOTA", "")
    words = without_fillers(" ".join(words.split()), _FILLERS, _OPTIONS)
    words = words.replace("PER_LOG", "per log")
    if grew:
        # Without a window of its own, a usual one is only offered.
        is_sure = is_sure and bool(words)
        words = f"{words or 'last 7 days'} vs previous"
    if quota:
        # A quota and a forecast are those of the month.
        is_sure = is_sure and words in ("", "this month")
        words = words or "this month"
    return Sentence(" ".join(filter(None, [*named.names, words])), is_sure)


_MOST = phrase(r"(?:the )?(?:most(?: data| logs| volume)?|biggest|largest|noisiest)", "")
