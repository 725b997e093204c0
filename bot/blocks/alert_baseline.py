"""What is usual, in the message of an incident: as a fact, and as a chart of earlier days."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from bot import formatting
from bot.alerts.baseline import Baseline, Season
from bot.answer import Block
from bot.blocks import kit
from bot.blocks.alert_context import NotificationContext
from bot.blocks.alert_values import format_range, format_value, threshold_label

_WHEN: Mapping[Season, str] = MappingProxyType(
    {
        Season.WEEKDAY_AND_HOUR: "at this weekday and hour",
        Season.HOUR: "at this hour",
        Season.DAY: "in a whole day",
    }
)


def threshold_now(context: NotificationContext) -> str:
    """`above 2x usual, now 7.40 GB`."""
    rule = context.rule
    baseline = _baseline(context)
    label = threshold_label(rule)
    if not rule.usual or baseline is None or rule.usual.side == "outside":
        return label
    return f"{label}, now {format_value(rule.value, rule.usual.threshold(baseline))}"


def usual_fact(context: NotificationContext) -> list[tuple[str, str]]:
    """The band and the median, where the threshold follows them."""
    baseline = _baseline(context)
    if baseline is None:
        return []
    band = format_range(context.rule.value, baseline.low, baseline.high)
    middle = format_value(context.rule.value, baseline.median)
    days = formatting.pluralise(baseline.days, "day")
    return [("Usual", f"{band} {_WHEN[baseline.season]}, median {middle} of {days}")]


def usual_chart(context: NotificationContext) -> list[Block]:
    """The value beside those of earlier days at this hour, with the band between them."""
    rule = context.rule
    baseline = _baseline(context)
    value = (context.after if context.is_over else context.shown).worst_subject.value
    if baseline is None or value is None or not context.usual_values:
        return []
    # The oldest on the left, with room for the value of now.
    earlier = context.usual_values[: kit.MOST_POINTS - 1][::-1]
    values = [*(each.value for each in earlier), value]
    factor = 1.0
    unit = rule.value
    if "bytes" in rule.value:
        # One unit for all three lines.
        factor, unit = kit.scale([abs(each) for each in (*values, baseline.high)])
    count = len(values)
    chart = kit.chart(
        f"{rule.value} {_WHEN[baseline.season]}",
        kind="line",
        series=[
            ("value", [round(each / factor, 3) for each in values]),
            ("usual, lowest", [round(baseline.low / factor, 3)] * count),
            ("usual, highest", [round(baseline.high / factor, 3)] * count),
        ],
        labels=[*(formatting.short_day(each.day, context.now) for each in earlier), "now"],
        unit=unit,
    )
    return [chart]


def _baseline(context: NotificationContext) -> Baseline | None:
    """What was usual when the reported value was read."""
    # Each subject has a baseline of its own, which its line shows.
    if context.rule.each:
        return None
    # Once it is over, what is usual now is beside the value of now.
    alert = context.after if context.is_over and context.after.subjects else context.shown
    return alert.worst_subject.baseline
