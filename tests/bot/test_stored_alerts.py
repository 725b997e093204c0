"""Alert states and rules stored by earlier versions can be read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from bot.alerts.rule import Rule
from bot.alerts.state import AlertState, State

STATE = (
    b'{"subjects":{"":{"state":"firing","since":"2026-11-25T12:00:00Z","value":11.0,"peak":12.0}},'
    b'"evaluated_at":"2026-11-25T12:05:00Z","told":{"":"firing"},"told_at":"2026-11-25T12:00:00Z",'
    b'"incident":"alert:spike:1:first","quiet":true,"errors":1,"looks":"01?","flapping":true}'
)
RULE = (
    b'{"name":"spike","line":"/usage today","value":"bytes","channel":"C0OPS","above":5e9,'
    b'"below":null,"recover":4.5e9,"every":"PT900S","hold":"PT600S","keep":"PT300S",'
    b'"repeat":"PT14400S","no_data":"hold","each":"","origin":"bot.toml"}'
)


def test_stored_state_is_read_and_written_alike() -> None:
    alert = msgspec.json.decode(STATE, type=AlertState)
    assert alert.notified == {"": State.FIRING}
    assert alert.notified_at == datetime(2026, 11, 25, 12, tzinfo=UTC)
    assert (alert.silenced, alert.history, alert.errors) == (True, "01?", 1)
    assert msgspec.json.decode(msgspec.json.encode(alert)) == msgspec.json.decode(STATE)


def test_stored_rule_is_read_and_written_alike() -> None:
    rule = msgspec.json.decode(RULE, type=Rule)
    assert (rule.query, rule.for_, rule.keep_firing_for) == (
        "/usage today",
        timedelta(minutes=10),
        timedelta(minutes=5),
    )
    assert msgspec.json.decode(msgspec.json.encode(rule)) == msgspec.json.decode(RULE)
