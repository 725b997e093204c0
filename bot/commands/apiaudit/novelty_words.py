"""What is new in some calls, in sentences (pure)."""

from __future__ import annotations

from collections.abc import Iterable

from bot import formatting
from bot.commands.apiaudit.denied import DENIED, Burst
from bot.commands.apiaudit.novelty import KINDS, Kind, Novelty
from bot.reports.seen_values import MOST_ENTRIES

MOST_BURSTS = 3
# So many new values are named.
MOST_NAMED = 5
LONGEST_NAME = 80


def novelty_findings(found: Novelty, listed: Iterable[str]) -> list[str]:
    """Bursts of denied calls, and what is new of each kind that is not `listed` elsewhere."""
    bursts = [_burst(burst, found) for burst in found.bursts[:MOST_BURSTS]]
    return [*bursts, *(_new(found, kind) for kind in _kinds_with_new(found, listed))]


def _kinds_with_new(found: Novelty, listed: Iterable[str]) -> list[Kind]:
    left = set(KINDS) - set(listed)
    return [kind for name, kind in KINDS.items() if name in left and found.new.get(name)]


def _burst(burst: Burst, found: Novelty) -> str:
    whose = "from" if burst.kind == "ip" else "of"
    usual = f"at most {burst.usual} in any hour" if burst.usual else "none"
    return (
        f"{burst.calls:,} calls {whose} {plain_name(burst.name)} were denied "
        f"({' or '.join(sorted(DENIED))}) in an hour on {burst.account}; {usual} in {found.period}."
    )


def _new(found: Novelty, kind: Kind) -> str:
    new = found.new[kind.name]
    names = formatting.join_words([plain_name(each.name) for each in new], MOST_NAMED)
    coverage = f" ({found.coverage})" if found.coverage else ""
    return f"{_counted(len(new), kind)} not seen in {found.period}{coverage}: {names}."


def _counted(count: int, kind: Kind) -> str:
    return f"{count:,} {kind.one if count == 1 else kind.many}"


def nothing_new(found: Novelty, name: str) -> str:
    """Why no value of a kind is listed."""
    kind = KINDS[name]
    if name in found.new:
        seen = found.seen.get(name, 0)
        if not seen:
            return f"No new {kind.one}: no call in the window."
        was = "the only one" if seen == 1 else f"all {seen:,}"
        return f"No new {kind.one}: {was} in the window {'was' if seen == 1 else 'were'} seen in {found.period}."
    if found.unknown or not found.compared:
        return f"New {kind.many} cannot be determined: too few of {found.period} are known."
    if found.seen.get(name):
        return f"New {kind.many} cannot be determined: one day had more than {MOST_ENTRIES:,} different ones."
    return f"New {kind.many} cannot be determined: no call in the window has one."


def coverage_notes(found: Novelty) -> list[str]:
    """What is missing of the days that calls are compared with, in a few words each."""
    unknown = [
        f"{name}: {known} of {formatting.pluralise(found.days, 'day')} before known, too few to say "
        "what is new"
        for name, known in found.unknown.items()
    ]
    return [*([found.coverage] if found.coverage else []), *unknown]


def plain_name(name: str) -> str:
    """A name without backticks, which are for the code in our own sentences."""
    return formatting.truncate(name.replace("`", "ˋ"), LONGEST_NAME)
