"""What is told of a rule, in words and blocks: the message of an incident as it stands now, and
what is said in its thread.

Each explains itself: value, threshold, window, what was missing, since when, why it is told now,
whose rule it is, and when it is looked at again. The words resolved and recovered stand in it only
once it is over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from types import MappingProxyType

from bot import formatting
from bot.alerts.rule import Rule
from bot.alerts.state import WHOLE, AlertState, Reason, State, SubjectState
from bot.answer import Block
from bot.blocks import kit

ACKNOWLEDGE, EDIT, SILENCE = "alert.acknowledge", "alert.edit", "alert.silence"
SILENCES = (("Silence 1 h", "1h"), ("4 h", "4h"), ("until tomorrow", "tomorrow"))
MOST_SUBJECTS = 8


@dataclass(frozen=True, slots=True)
class NotificationContext:
    """What a notice is about: a rule before and after, the reason to tell, and what people need to
    know beside it. `quiet` says who keeps it quiet, until when and why; `by` who has acknowledged,
    silenced or ended it just now, and `name` what they are called.
    """

    rule: Rule
    before: AlertState
    after: AlertState
    reason: Reason
    now: datetime
    zone: tzinfo
    window: str = ""
    shortcomings: Sequence[str] = ()
    quiet: str = ""
    by: str = ""
    name: str = ""

    @property
    def is_over(self) -> bool:
        return not self.after.told

    @property
    def told_of(self) -> AlertState:
        """What the notice speaks of: how it is, or, once it is over, how it was."""
        return self.before if self.is_over else self.after


def incident_message(scene: NotificationContext) -> tuple[str, list[Block]]:
    """The message of the incident, as it stands now."""
    head, lines = _head(scene), _subjects(scene)
    said = _facts(scene, lambda moment: formatting.format_time(moment, scene.zone, scene.now))
    text = "\n".join([head, *lines, *(f"{name}: {value}." for name, value in said)])
    facts = _facts(scene, kit.local_time, kit.escaped)
    told = [kit.section("\n".join(f"• {kit.escaped(line)}" for line in lines))] if lines else []
    flags = [kit.context(flag) for flag in _flags(scene)]
    return text, [
        kit.header(head),
        *told,
        kit.fields(facts),
        *flags,
        kit.context(_origin(scene)),
        kit.actions(_buttons(scene)),
    ]


def thread_reply(scene: NotificationContext) -> tuple[str, list[Block]]:
    """What is said in the thread of the incident about this change."""
    head = _REPLIES[scene.reason](scene)
    by = [kit.context(f"By <@{scene.by}>.")] if scene.name else []
    return head, [kit.section(kit.escaped(head)), *by, kit.context(_why(scene))]


def _head(scene: NotificationContext) -> str:
    rule, watch = scene.rule, scene.told_of
    if scene.reason is Reason.ENDED:
        return f"⚫ {rule.name} is not watched any more, after {_lasted(scene)}"
    if scene.is_over:
        peak = _worst(scene)
        at = f", at its worst {format_value(rule.value, peak)}" if peak is not None else ""
        return f"✅ {rule.name} has resolved after {_lasted(scene)}{at}"
    if watch.state is State.NO_DATA:
        return f"⚪ {rule.name}: there is no data for {rule.value}"
    return f"{'🟠' if watch.acknowledged_by or scene.quiet else '🔴'} {rule.name}: {_breach(scene)}"


def _breach(scene: NotificationContext, *, still: str = "") -> str:
    rule, firing = scene.rule, scene.told_of.firing()
    threshold = f"{rule.side} {format_value(rule.value, rule.threshold)}"
    if list(firing) == [WHOLE]:
        value = firing[WHOLE].value
        if value is None:
            return f"{rule.value} last {threshold}, and no data since"
        between = (
            ""
            if rule.is_breach(value, firing=False)
            else f", not calm again after being {threshold}"
        )
        return f"{rule.value} {still}at {format_value(rule.value, value)}" + (
            between or f", {threshold}"
        )
    of = f"of {formatting.pluralise(len(scene.told_of.subjects), rule.each)}"
    return f"{rule.value} {still}{threshold} for {len(firing)} {of}"


def _subjects(scene: NotificationContext) -> list[str]:
    """Each subject that fires with its value, the worst first."""
    if not scene.rule.each or scene.is_over:
        return []
    firing = scene.told_of.firing()
    worst = sorted(
        firing.items(), key=lambda item: item[1].value or 0.0, reverse=scene.rule.above is not None
    )
    told = [
        f"{formatting.sanitise(name, 80) or '(unnamed)'}: {_value(scene.rule, standing)}"
        for name, standing in worst
    ]
    more = [f"… and {len(told) - MOST_SUBJECTS} more"] if len(told) > MOST_SUBJECTS else []
    return [*told[:MOST_SUBJECTS], *more]


def _value(rule: Rule, standing: SubjectState) -> str:
    return format_value(rule.value, standing.value) if standing.value is not None else "no data"


def _facts(
    scene: NotificationContext,
    told: Callable[[datetime], str],
    shown: Callable[[str], str] = formatting.sanitise_lines,
) -> list[tuple[str, str]]:
    """Names and values; `told` says a moment, in words for all or for each reader in their own
    zone, and `shown` outside text.
    """
    rule, watch = scene.rule, scene.told_of
    facts = []
    if not rule.each and (value := watch.standing.value) is not None:
        facts.append(
            (
                rule.value if not scene.is_over else f"{rule.value} before",
                format_value(rule.value, value),
            )
        )
    if scene.is_over and not rule.each and (value := scene.after.standing.value) is not None:
        facts.append((f"{rule.value} now", format_value(rule.value, value)))
    facts.append((rule.side.capitalize(), format_value(rule.value, rule.threshold)))
    if rule.recover is not None:
        facts.append(("Calm again at", format_value(rule.value, rule.recover)))
    if began := scene.told_of.started_at:
        ago = (
            f" ({formatting.format_duration(scene.now - began)})"
            if scene.now - began >= timedelta(seconds=1)
            else ""
        )
        facts.append(("Since", f"{told(began)}{ago}"))
    peak = _worst(scene)
    if peak is not None and (scene.is_over or scene.reason is not Reason.FIRED):
        facts.append(("Worst", format_value(rule.value, peak)))
    if scene.window:
        facts.append(("Window", shown(scene.window)))
    if missing := _missing(scene):
        facts.append(("Missing", shown(missing)))
    return facts[:10]


def _missing(scene: NotificationContext) -> str:
    blind = scene.after.looks.count("?")
    looks = (
        f"{blind} of the last {formatting.pluralise(len(scene.after.looks), 'look')} found nothing"
        if blind
        else ""
    )
    return "; ".join([*([looks] if looks else []), *scene.shortcomings])


def _lasted(scene: NotificationContext) -> str:
    return formatting.format_duration(scene.now - (scene.told_of.started_at or scene.now))


def _worst(scene: NotificationContext) -> float | None:
    return scene.rule.worst(standing.peak for standing in scene.told_of.subjects.values())


def _flags(scene: NotificationContext) -> list[str]:
    """What people have said of it, and how it behaves, as mrkdwn."""
    if scene.is_over:
        return []
    flags = (
        [f"Acknowledged by <@{scene.after.acknowledged_by}>; it is not repeated."]
        if scene.after.acknowledged_by
        else []
    )
    flags += [f"Quiet: {kit.with_person(scene.quiet)}."] if scene.quiet else []
    return flags + (
        ["Flapping: it has changed between firing and calm again and again."]
        if scene.after.flapping
        else []
    )


def _origin(scene: NotificationContext) -> str:
    return f"{kit.code(scene.rule.line, 200)} · {_why(scene)}"


def _why(scene: NotificationContext) -> str:
    rule = scene.rule
    ahead = kit.local_time(scene.now + rule.every)
    hold = (
        f" (held for {formatting.format_duration(rule.hold)})"
        if rule.hold and scene.reason is Reason.FIRED
        else ""
    )
    because = f"told now, because {_BECAUSE[scene.reason]}{hold}"
    return f"{because} · rule of {kit.escaped(rule.origin)} · next look about {ahead}"


def _buttons(scene: NotificationContext) -> list[Block]:
    name = scene.rule.name
    show = kit.ask_buttons([("Show the data", scene.rule.line)])
    edit = kit.button("Edit rule", EDIT, name)
    if scene.is_over:
        return [*show, edit]
    first = (
        []
        if scene.after.acknowledged_by
        else [kit.button("Acknowledge", ACKNOWLEDGE, name, style="primary")]
    )
    quiet = (
        []
        if scene.quiet
        else [kit.button(text, f"{SILENCE}.{length}", name) for text, length in SILENCES]
    )
    return [*first, *show, *quiet, edit]


def _changed(scene: NotificationContext) -> str:
    """Who is new among those that fire, and who is calm again."""
    told, was = scene.after.told, scene.before.told
    new = [formatting.sanitise(name, 60) for name in told if name not in was]
    gone = [formatting.sanitise(name, 60) for name in was if name not in told]
    parts = [f"also {formatting.join_words(new, MOST_SUBJECTS)}"] if new else []
    parts += [f"{formatting.join_words(gone, MOST_SUBJECTS)} calm again"] if gone else []
    if scene.after.state is State.NO_DATA:
        return f"There is no data for {scene.rule.value} any more."
    return f"Changed: {'; '.join(parts) or 'it stands otherwise'}. {_sentence(_breach(scene))}."


def _repeated(scene: NotificationContext) -> str:
    """A repeat says how long."""
    length = _lasted(scene)
    if scene.after.state is State.NO_DATA:
        return f"For {length} now: there is no data for {scene.rule.value}."
    worst = _worst(scene)
    return f"For {length} now: {_breach(scene, still='still ')}" + (
        f"; at its worst {format_value(scene.rule.value, worst)}." if worst is not None else "."
    )


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


_REPLIES: Mapping[Reason, Callable[[NotificationContext], str]] = MappingProxyType(
    {
        Reason.FIRED: lambda scene: f"{_sentence(_breach(scene))}.",
        Reason.CHANGED: _changed,
        Reason.REPEATED: _repeated,
        Reason.QUIET_OVER: lambda scene: f"The quiet is over. {_repeated(scene)}",
        Reason.RESOLVED: lambda scene: f"{_head(scene)}.",
        Reason.NO_DATA: lambda scene: f"There is no data for {scene.rule.value}.",
        Reason.ENDED: lambda scene: (
            f"{scene.rule.name} is not watched any more: its rule was changed or "
            f"ended{_by(scene)} while it fired."
        ),
        Reason.ACKNOWLEDGED: lambda scene: (
            f"Acknowledged. {scene.rule.name} is not repeated; what is new, and its end, are told."
        ),
        Reason.SILENCED: lambda scene: (
            f"Silenced {_until(scene.quiet)}{_by(scene)}. Its end is told, and it speaks again if "
            "it still fires then."
        ),
    }
)


def _by(scene: NotificationContext) -> str:
    """Who did it, in words."""
    return f" by {formatting.sanitise(scene.name, 60)}" if scene.name else ""


def _until(quiet: str) -> str:
    """The quiet without the person in it, whom words alone cannot name."""
    return quiet.partition(", by <@")[0]


_BECAUSE: Mapping[Reason, str] = MappingProxyType(
    {
        Reason.FIRED: "it has just begun",
        Reason.CHANGED: "it has changed",
        Reason.REPEATED: "it goes on",
        Reason.QUIET_OVER: "the quiet is over and it goes on",
        Reason.RESOLVED: "it is over",
        Reason.NO_DATA: "the data stays away",
        Reason.CANNOT_TELL: "it cannot be told",
        Reason.TELLS_AGAIN: "it can be told again",
        Reason.ACKNOWLEDGED: "somebody has taken it on",
        Reason.SILENCED: "somebody has asked for quiet",
        Reason.ENDED: "its rule was changed or ended",
    }
)


def format_value(name: str, value: float) -> str:
    """A value in the unit its name tells of."""
    if name == "bytes" or name.endswith("_bytes") or name.endswith("bytes_per_day"):
        return formatting.format_bytes(int(value))
    if name.endswith("_percent"):
        return f"{value:.1f} %"
    if name.endswith("_ms"):
        return formatting.milliseconds(value)
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"
