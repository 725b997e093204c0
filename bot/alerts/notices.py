"""What is told of a rule, in words and blocks: the value, the threshold, since when, why now, and when it is looked at again."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from types import MappingProxyType

from bot import words
from bot.alerts.evaluate import Reason, Standing
from bot.alerts.rule import Rule
from bot.answer import Block
from bot.blocks import kit


def notice(
    rule: Rule, before: Standing, after: Standing, reason: Reason, *, window: str, now: datetime, zone: tzinfo
) -> tuple[str, list[Block]]:
    """The text and the blocks of a notice. The words resolved and recovered stand in it only once it is over."""
    head, facts = _head(rule, before, after, reason, now), _facts(rule, before, after, reason, window, now, zone)
    text = "\n".join([head, *(f"{name}: {value}." for name, value in facts)])
    blocks = [kit.header(head), kit.fields(facts)]
    buttons = [("Show the data", rule.line)]
    return text, [*blocks, kit.context(_origin(rule, reason, now, zone)), kit.actions(kit.ask_buttons(buttons))]


def _head(rule: Rule, before: Standing, after: Standing, reason: Reason, now: datetime) -> str:
    side = "above" if rule.above is not None else "below"
    threshold = measured(rule.value, rule.threshold)
    if reason is Reason.RESOLVED:
        return f"✅ {rule.name} has resolved after {lasting(now - (before.since or now))}"
    if reason is Reason.NO_DATA or after.value is None:
        return f"⚪ {rule.name}: there is no data for {rule.value}"
    still = "still " if reason is Reason.REPEATED else ""
    return f"🔴 {rule.name}: {rule.value} is {still}{measured(rule.value, after.value)}, {side} {threshold}"


def _facts(
    rule: Rule, before: Standing, after: Standing, reason: Reason, window: str, now: datetime, zone: tzinfo
) -> list[tuple[str, str]]:
    side = "Above" if rule.above is not None else "Below"
    facts = [(side, measured(rule.value, rule.threshold))]
    if after.value is not None:
        facts.insert(0, (rule.value, measured(rule.value, after.value)))
    if rule.recover is not None:
        facts.append(("Calm again at", measured(rule.value, rule.recover)))
    since = before.since if reason is Reason.RESOLVED else after.breach_since or after.since
    if since:
        ago = f" ({lasting(now - since)})" if now - since >= timedelta(seconds=1) else ""
        facts.append(("Since", f"{words.moment(since, zone)}{ago}"))
    if after.peak is not None and reason in (Reason.RESOLVED, Reason.REPEATED):
        facts.append(("Worst", measured(rule.value, after.peak)))
    if window:
        facts.append(("Window", window))
    return facts[:10]


def _origin(rule: Rule, reason: Reason, now: datetime, zone: tzinfo) -> str:
    ahead = (now + rule.every).astimezone(zone)
    hold = f" (held for {lasting(rule.hold)})" if rule.hold and reason is Reason.FIRED else ""
    return f"{kit.code(rule.line, 200)} · told now, because {_BECAUSE[reason]}{hold} · rule of bot.toml · next look about {ahead:%H:%M}"


_BECAUSE = MappingProxyType(
    {
        Reason.FIRED: "it has just begun",
        Reason.REPEATED: "it goes on",
        Reason.RESOLVED: "it is over",
        Reason.NO_DATA: "the data stays away",
        Reason.CANNOT_TELL: "it cannot be told",
    }
)


def measured(name: str, value: float) -> str:
    """A value in the unit its name tells of."""
    if name == "bytes" or name.endswith("_bytes") or name.endswith("bytes_per_day"):
        return words.size(int(value))
    if name.endswith("_percent"):
        return f"{value:.1f} %"
    if name.endswith("_ms"):
        return words.milliseconds(value)
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"


def lasting(length: timedelta) -> str:
    """`40 s`, `12 min`, `2 h 10 min`, `3 days`."""
    seconds = int(length.total_seconds())
    if seconds < 90:
        return f"{max(0, seconds)} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{hours // 24} days"
