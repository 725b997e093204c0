"""Whether text written by people or vendors has an effect where it is shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from bot.sandbox.slack import BOT, SlackSandbox

# What we write ourselves in angle brackets: people of the sandbox, channels, times.
_OURS = re.compile(
    r"<(?:@U0(?:ADA|GRACE|LINUS)|#C0(?:OPS|KITCHEN)|!date\^\d+\^\{date_short_pretty\} \{time\}\|[^<>|]+)>"
)
_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
_UNSEEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]"
)
# The markup of the strings below; ours are other words.
_MARKUP = re.compile(r"\*bold\*|_slanted_|~struck~|(?m:^)injected")
# What a person typed is in an input as it was, and what a button asks is not shown.
_NOT_SHOWN = frozenset(
    {
        "value",
        "initial_value",
        "private_metadata",
        "hash",
        "id",
        "block_id",
        "action_id",
        "initial_option",
    }
)

HOSTILE = {
    "channel": "zebra <!channel> <!here|all> <!subteam^S0ONCALL|@oncall>",
    "person": "zebra <@U1> <@U0EVIL|ada> <#C0SECRET|x>",
    "link": "zebra <https://evil.example|Click> <mailto:a@evil.example|mail>",
    "plain mentions": "zebra @everyone @channel @here #general",
    "markup": "zebra *bold* _slanted_ ~struck~ >quote",
    "backticks": "zebra `` ` ``` *bold* `<!channel>` ```<https://evil.example|x>",
    "entities": "zebra &lt;!channel&gt; &amp;lt;!here&amp;gt; &#60;!channel&#62;",
    "direction": "zebra \u202egnp.exe\u202c \u2066x\u2069 \u061c\u200f",
    "unseen": "zebra\u200b\u2060\ufeff\u00ad hid\u200dden \U000e0041",
    "controls": "zebra \x1b[2J \x9b31m \x07 \x00 \x7f",
    "lines": "zebra\ninjected *bold*\r\ninjected\u2028injected",
    "ends like ours": "zebra, by <@U0EVIL>",
    "date": "zebra <!date^0^{date}^https://evil.example|now>",
    "long": "zebra <!channel> " + "<@U1>" * 2000,
}


def complaints(slack: SlackSandbox) -> list[str]:
    """Texts with an effect, among all that the bot has shown and that still exists."""
    found = []
    for message in slack.messages:
        if message.user == BOT:
            found += [f"text: {why}" for why in _wrong_text(message.text)]
            found += [why for block in message.blocks for why in wrong(block)]
    views = [view.view for view in slack.views.values()]
    for shown in (*views, *(block for home in slack.homes.values() for block in home)):
        found += wrong(shown)
    return found


def wrong(payload: Any) -> list[str]:
    """Texts with an effect in a block or in a view."""
    found = []
    for kind, text, is_verbatim in _texts(payload):
        if kind != "mrkdwn":
            found += [f"{kind}: {text[:200]!r}"] if _UNSEEN.search(text) else []
            continue
        found += [] if is_verbatim else [f"not verbatim: {text[:200]!r}"]
        found += _wrong_markup(text)
    return found


def shown_texts(payload: Any) -> list[str]:
    """All text that is shown in blocks or in a view."""
    return [text for _, text, _ in _texts(payload)]


def _wrong_text(text: str) -> list[str]:
    """Top-level text is also markup: a sign of markup in a value has to be an entity, and no line
    may look like somebody else's.
    """
    bad = "<" in text or ">" in text or _UNSEEN.search(text) or re.search(r"(?m)^injected", text)
    return [repr(text[:300])] if bad else []


def _wrong_markup(text: str) -> list[str]:
    outside = _CODE.sub("", text)
    bad = (
        "<" in _OURS.sub("", text)
        or ">" in _OURS.sub("", text)
        or _UNSEEN.search(text)
        or _MARKUP.search(outside)
    )
    return [f"mrkdwn: {text[:300]!r}"] if bad else []


def _texts(payload: Any, name: str = "") -> Iterator[tuple[str, str, bool]]:
    """All text shown: its kind, its text, and whether Slack is kept from reading mentions in it."""
    if isinstance(payload, list):
        for each in payload:
            yield from _texts(each, name)
    elif isinstance(payload, str):
        yield name, payload, False
    elif isinstance(payload, dict):
        if payload.get("type") in ("mrkdwn", "plain_text"):
            yield str(payload["type"]), payload["text"], bool(payload.get("verbatim"))
            return
        for key, each in payload.items():
            if key not in _NOT_SHOWN:
                yield from _texts(each, key)
