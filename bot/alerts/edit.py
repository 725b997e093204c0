"""Changes an alert by words such as `above 6 GB for 10m every 5m` (pure). What they do not name stays
as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import msgspec

from bot.alerts.alert_options import read_condition, sides_of
from bot.alerts.baseline import Usual
from bot.alerts.create import CreateAlert, parse_alert
from bot.alerts.rule import has_value
from bot.alerts.typed_alert import TypedAlert
from bot.errors import BadQuestion
from bot.questions.question import AccountDirectory, CommandName

# The option that sets each field.
_OPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "every": "every",
        "for_": "for",
        "keep_firing_for": "keep",
        "repeat": "repeat",
        "each": "each",
        "no_data": "nodata",
    }
)
_PAGING_OPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "severity": "severity",
        "runbook": "runbook",
        "notify": "notify",
        "escalate_after": "escalate",
        "escalate_to": "escalate",
    }
)
_WHAT = (
    "Words change the threshold and the options; the question and the name stay, and the question is "
    "changed with Edit alert."
)
_NOTHING = (
    "What should change? Name a threshold or an option, such as above 6 GB, for 10m or every 5m."
)


def edited_alert(
    command: CommandName, before: CreateAlert, words: str, directory: AccountDirectory
) -> CreateAlert:
    """The alert with the changes. Raises BadQuestion, whose hint is other words for the change, or
    empty.
    """
    words = re.sub(r"(?i)\Ato\s+", "", words.strip())
    if not words:
        raise BadQuestion(_NOTHING, "every 5m")
    has_side = bool(sides_of(words))
    first = words.split()[0].lower()
    # `calls above 5` names another value.
    value = "" if has_side and has_value(command, first) else before.value
    kept = "" if has_side else _threshold_words(before)
    head = " ".join(filter(None, [before.query, value]))
    text = " ".join(filter(None, [head, kept, words]))
    try:
        typed = parse_alert(command, text, directory)
    except BadQuestion as error:
        raise BadQuestion(
            error.message, _shorter(error.hint, command, f"{head} {kept}".strip())
        ) from None
    named = _named_options(command, text, directory)
    if typed.query != before.query or "as" in named or "in" in named:
        raise BadQuestion(_WHAT, "")
    return _merged(before, typed, named | ({"threshold"} if has_side else frozenset()))


def _shorter(hint: str, command: CommandName, head: str) -> str:
    """The change of the alert in a hint; empty where it holds none."""
    line = f"/{command} alert {head} "
    return hint.removeprefix(line) if hint.startswith(line) else ""


def _named_options(command: CommandName, text: str, directory: AccountDirectory) -> frozenset[str]:
    typed = TypedAlert(command, text, directory, lambda _: None, explain=False)
    _, _, options = read_condition(typed)
    return frozenset(options)


def _threshold_words(alert: CreateAlert) -> str:
    """The threshold as it is typed."""
    if alert.usual is None:
        unit = " B" if "bytes" in alert.value else ""
        return f"{alert.side} {alert.threshold:.15g}{unit}"
    factor = alert.usual.factor
    return f"{alert.side} usual" if factor is None else f"{alert.side} {factor:.15g}x usual"


def _merged(before: CreateAlert, typed: CreateAlert, named: frozenset[str]) -> CreateAlert:
    changes = {
        field: getattr(typed, field) for field, option in _OPTIONS.items() if option in named
    }
    calls = {
        field: getattr(typed.paging, field)
        for field, option in _PAGING_OPTIONS.items()
        if option in named
    }
    paging = msgspec.structs.replace(before.paging, **calls)
    alert = replace(before, **changes, paging=paging, condition="")
    if "threshold" in named:
        alert = replace(alert, value=typed.value, side=typed.side, threshold=typed.threshold)
        alert = replace(alert, usual=_with_recover(before.usual, typed.usual))
    if "recover" in named:
        return replace(alert, recover=typed.recover, usual=typed.usual)
    _require_fitting(before, alert)
    return alert


def _with_recover(before: Usual | None, usual: Usual | None) -> Usual | None:
    """The new multiple of what is usual with the resolve threshold that the alert has."""
    if before is None or usual is None or usual.factor is None:
        return usual
    return msgspec.structs.replace(usual, recover=before.recover)


def _require_fitting(before: CreateAlert, alert: CreateAlert) -> None:
    """Raises BadQuestion where the resolve threshold that stays does not fit the new threshold."""
    recover = alert.recover
    threshold = alert.threshold
    if alert.usual is not None:
        # An amount is none of a threshold that follows what is usual.
        fits = recover is None
        recover = alert.usual.recover
        threshold = alert.usual.factor or 0.0
    else:
        fits = before.usual is None or before.usual.recover is None
        fits = fits and (recover is None or before.value == alert.value)
    if recover is not None:
        fits = fits and (recover <= threshold if alert.side == "above" else recover >= threshold)
    if not fits:
        raise BadQuestion(
            "The resolve threshold of the alert does not fit this threshold; name another one with recover.",
            "",
        )
