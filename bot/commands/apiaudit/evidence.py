"""Which calls are behind the failures that an alert measures (pure)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable

from bot import formatting
from bot.alerts.state import UNNAMED
from bot.answer import Evidence, EvidenceFact
from bot.commands.apiaudit.buttons import PLAIN_ACTOR
from bot.commands.apiaudit.listing import duration
from bot.commands.apiaudit.question import AuditQuestion
from bot.commands.apiaudit.report import newest
from providers.models import ApiCall, Outcome

FAILURE_VALUES = frozenset({"failures", "failure_percent"})
MOST_CONTRIBUTORS = 2


def failure_evidence(
    calls: Iterable[ApiCall], question: AuditQuestion, each: str, firing: Collection[str]
) -> Evidence:
    """What is known of the failures of the subjects that fire, or, without `each`, of all calls."""
    subjects = frozenset(firing)
    failed = [
        call
        for call in calls
        if call.outcome is Outcome.FAILURE
        and (not each or (getattr(call, each) or UNNAMED) in subjects)
    ]
    query = _narrowed(question, each, firing)
    if not failed:
        return Evidence(query=query)
    [latest] = newest(failed, 1)
    # Of one actor the actions differ; of everything else, the actors.
    counts = Counter(call.action if each == "actor" else call.actor for call in failed)
    facts = [EvidenceFact("Latest failure", call_line(latest), latest.at)]
    if len(counts) > 1:
        facts.append(EvidenceFact("Most failures", _contributors(counts)))
    return Evidence(tuple(facts), query)


def call_line(call: ApiCall) -> str:
    """`ada · GET /papi/v1/groups · 503 · 45 ms`, after the vendor's text for a time that cannot be
    read.
    """
    # The end of a path says which resource it is.
    target = formatting.sanitise(formatting.shorten_middle(call.target, 100))
    what = f"{formatting.sanitise(call.action, 60)} {target}"
    parts = [
        "" if call.at else formatting.sanitise(call.at_text, 30),
        formatting.sanitise(call.actor, 60) or UNNAMED,
        what.strip(),
        formatting.sanitise(call.status, 60),
        duration(call),
    ]
    return " · ".join(part for part in parts if part)


def _contributors(counts: Counter[str]) -> str:
    """`ada 12, bob 5 and 3 others: 7`, which add up to all failures."""
    worst = counts.most_common(MOST_CONTRIBUTORS)
    named = [f"{formatting.sanitise(name, 40) or UNNAMED} {number:,}" for name, number in worst]
    if len(counts) == len(worst):
        return ", ".join(named)
    others = formatting.pluralise(len(counts) - len(worst), "other")
    rest = counts.total() - sum(number for _, number in worst)
    return f"{', '.join(named)} and {others}: {rest:,}"


def _narrowed(question: AuditQuestion, each: str, firing: Collection[str]) -> str:
    """The question about the failures alone, and about the one subject that fires."""
    words = [] if question.filters.failures else ["failures"]
    names = list(firing)
    is_plain = len(names) == 1 and PLAIN_ACTOR.fullmatch(names[0])
    if each == "actor" and is_plain and not question.filters.who:
        words.append(f"who:{names[0]}")
    return question.also(" ".join(words)) if words else ""
