"""Values and thresholds of alerts in words."""

from __future__ import annotations

from bot import formatting
from bot.alerts.baseline import Baseline, Season, factor_label
from bot.alerts.rule import Rule


def format_value(name: str, value: float) -> str:
    """A value in the unit that its name implies."""
    if name == "bytes" or name.endswith(("_bytes", "bytes_per_day")):
        return formatting.format_bytes(int(value))
    if name.endswith("_percent"):
        return f"{value:.1f} %"
    if name.endswith("_ms"):
        return formatting.milliseconds(value)
    # Counts have no decimals.
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"


def format_range(name: str, low: float, high: float) -> str:
    """`3.10–4.20 GB`: a unit that both have is named once."""
    first = format_value(name, low)
    last = format_value(name, high)
    number, _, unit = first.rpartition(" ")
    return f"{number if unit and last.endswith(f' {unit}') else first}–{last}"


def threshold_label(rule: Rule) -> str:
    """`above 5.00 GB`, `above 2x usual`, `outside usual`."""
    if rule.usual:
        return rule.usual.label
    return f"{rule.side} {format_value(rule.value, rule.threshold)}"


def resolve_label(rule: Rule) -> str:
    """The resolve threshold, or an empty string."""
    if rule.usual:
        return factor_label(rule.usual.recover) if rule.usual.recover is not None else ""
    return format_value(rule.value, rule.recover) if rule.recover is not None else ""


def peak_name(rule: Rule) -> str:
    """What the worst value of a rule is called."""
    return {"above": "peak", "below": "lowest"}.get(rule.side, "furthest")


def subject_name(name: str, most: int) -> str:
    """A subject in at most so many characters. It is a value of a log, and may be anything."""
    return formatting.sanitise(name, most) or "(unnamed)"


def usual_label(value: str, baseline: Baseline) -> str:
    """`usual 3.10–4.20 GB at this hour`."""
    when = "in a whole day" if baseline.season is Season.DAY else "at this hour"
    return f"usual {format_range(value, baseline.low, baseline.high)} {when}"
