"""How alerts are shown in a channel: what becomes of an incident's message as it changes, and the
operator's own buttons under it (pure).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Updates = Literal["edit", "thread", "both"]
Resolved = Literal["notify", "quiet"]


@dataclass(frozen=True, slots=True)
class ChannelStyle:
    """`updates` says whether a change edits the incident's message, is a reply in its thread, or
    both. With `resolved` quiet, the end of an incident only edits its message.
    """

    updates: Updates = "both"
    resolved: Resolved = "notify"


@dataclass(frozen=True, slots=True)
class OperatorButton:
    """A button of the operator's own: a link, or a question that is asked as whoever presses it.
    Without `alerts` it is under each of them.
    """

    text: str
    url: str = ""
    ask: str = ""
    alerts: frozenset[str] = frozenset()


USUAL_STYLE = ChannelStyle()


def _same_name(one: str, other: str) -> bool:
    return one == other


@dataclass(frozen=True, slots=True)
class Presentation:
    """The styles by channel, as the configuration names them, and the buttons. `is_same` knows which
    name and which id are the same channel.
    """

    styles: Mapping[str, ChannelStyle] = field(default_factory=dict)
    buttons: Sequence[OperatorButton] = ()
    is_same: Callable[[str, str], bool] = _same_name

    def style_of(self, channel: str) -> ChannelStyle:
        """The style of the channel."""
        found = self.styles.get(channel)
        if found is None:
            # The configuration may name `#ops` and an alert `C0OPS`.
            same = (style for name, style in self.styles.items() if self.is_same(name, channel))
            found = next(same, USUAL_STYLE)
        return found

    def buttons_of(self, alert: str) -> tuple[OperatorButton, ...]:
        """The operator's buttons under an alert."""
        return tuple(each for each in self.buttons if not each.alerts or alert in each.alerts)


USUAL = Presentation()
