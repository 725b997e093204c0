"""The names of an alert's recipients, in text that mentions nobody."""

from __future__ import annotations

import pytest

from bot.blocks.alert_lines import recipients_text

NAMES = {"U0GRACE": "Grace", "S0ONCALL": "group oncall"}


@pytest.mark.parametrize(
    ("recipients", "text"),
    [
        (["pagerduty"], "pagerduty"),
        (["U0GRACE"], "Grace"),
        (["S0ONCALL", "pagerduty", "U0GRACE"], "pagerduty, group oncall and Grace"),
        (["U0ADA"], "1 person or group"),
        (["U0ADA", "S0SRE", "U0GRACE"], "Grace and 2 people or groups"),
        (["#incidents", "S0ONCALL"], "#incidents and group oncall"),
    ],
    ids=["target", "person", "several", "unknown", "two unknown", "channel"],
)
def test_recipients_are_named(recipients: list[str], text: str) -> None:
    assert recipients_text(recipients, NAMES) == text


def test_hostile_name_is_one_short_line() -> None:
    text = recipients_text(["U0GRACE"], {"U0GRACE": "<!channel>\n" * 40})
    assert "\n" not in text
    assert len(text) <= 60
