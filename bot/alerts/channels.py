"""How alerts are shown in a channel: what becomes of an incident's message as it changes, and the
operator's own buttons under it (pure).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from msgspec import Struct, field

Updates = Literal["edit", "thread", "both"]
Resolved = Literal["notify", "quiet"]


class ChannelStyle(Struct, frozen=True):
    """`updates` says whether a change edits the incident's message, is a reply in its thread, or
    both. With `resolved` quiet, the end of an incident only edits its message.
    """

    updates: Updates = "both"
    resolved: Resolved = "notify"


class OperatorButton(Struct, frozen=True):
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


class Presentation(Struct, frozen=True):
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
