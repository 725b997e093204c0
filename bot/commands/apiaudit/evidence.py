"""Which calls are behind the failures that an alert measures (pure)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from datetime import datetime, tzinfo
from functools import partial

from msgspec import Struct, field

from bot import formatting
from bot.answer import Evidence
from bot.commands.apiaudit.buttons import PLAIN_ACTOR
from bot.commands.apiaudit.listing import duration, moment
from bot.commands.apiaudit.question import AuditQuestion
from bot.commands.apiaudit.report import newest
from providers.models import ApiCall, Outcome

FAILURE_VALUES = frozenset({"failures", "failure_percent"})
MOST_CONTRIBUTORS = 2


class _Failures(Struct):
    """The newest failed call of a subject, and how many failed by contributor."""

    latest: ApiCall
    count: Counter[str] = field(default_factory=Counter)


def failure_evidence(
    calls: Iterable[ApiCall], question: AuditQuestion, each: str, *, zone: tzinfo, now: datetime
) -> Callable[[Collection[str]], Evidence]:
    """What is known of the failures of the subjects that fire, or, without `each`, of all calls."""
    # Of one actor the actions differ; of everything else, the actors.
    contributor = "action" if each == "actor" else "actor"
    found = dict[str, _Failures]()
    for call in calls:
        if call.outcome is not Outcome.FAILURE:
            continue
        subject = getattr(call, each) if each else ""
        known = found.setdefault(subject, _Failures(call))
        known.latest = newest((known.latest, call), 1)[0]
        known.count[getattr(call, contributor)] += 1
    return partial(_evidence, found, question, each, zone, now)


def _evidence(
    found: dict[str, _Failures],
    question: AuditQuestion,
    each: str,
    zone: tzinfo,
    now: datetime,
    firing: Collection[str],
) -> Evidence:
    shown = {name: found[name] for name in firing if name in found}
    query = _narrowed(question, each, firing)
    if not shown:
        return Evidence(query=query)
    [latest] = newest([known.latest for known in shown.values()], 1)
    count = sum((known.count for known in shown.values()), Counter[str]())
    facts = [("Latest failure", call_line(latest, zone, now))]
    if len(count) > 1:
        worst = [
            f"{formatting.sanitise(name, 40) or 'unnamed'} {number:,}"
            for name, number in count.most_common(MOST_CONTRIBUTORS)
        ]
        facts.append(("Most failures", ", ".join(worst)))
    return Evidence(facts, query)


def call_line(call: ApiCall, zone: tzinfo, now: datetime) -> str:
    """`28 Nov 02:31:07 · ada · GET /papi/v1/groups · 503 · 45 ms`."""
    what = f"{formatting.sanitise(call.action, 60)} {formatting.sanitise(call.target, 100)}"
    parts = [
        formatting.sanitise(moment(call, zone, now)),
        formatting.sanitise(call.actor, 60) or "unnamed",
        what.strip(),
        formatting.sanitise(call.status, 60),
        duration(call),
    ]
    return " · ".join(part for part in parts if part)


def _narrowed(question: AuditQuestion, each: str, firing: Collection[str]) -> str:
    """The question about the failures alone, and about the one subject that fires."""
    words = [] if question.filters.failures else ["failures"]
    names = list(firing)
    is_plain = len(names) == 1 and PLAIN_ACTOR.fullmatch(names[0])
    if each == "actor" and is_plain and not question.filters.who:
        words.append(f"who:{names[0]}")
    return question.also(" ".join(words)) if words else ""
