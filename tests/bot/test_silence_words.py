"""Silences as people type them: the end they mean is read, or asked back, and never another one."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.alerts.commands import Silence, parse_alert_command
from bot.alerts.silence_ends import resolve_silence_end
from bot.errors import BadQuestion
from tests.bot.silence_end_cases import TABLES
from tests.bot.test_question import HOUSE

_CASE = re.compile(r"(?P<words>.+?) (?:\?|= (?P<end>\S+(?: \d\d:\d\d)?)(?: \[(?P<comment>.+)\])?)")


def cases() -> list[tuple[str, str, str, str, str]]:
    found = []
    for zone, now, lines in TABLES:
        for line in filter(None, lines.splitlines()):
            case = _CASE.fullmatch(line)
            assert case, line
            found.append((case["words"], zone, now, case["end"] or "", case["comment"] or ""))
    return found


def silence(words: str, name: str = "spike") -> Silence:
    read = parse_alert_command("usage", f"silence {name} {words}", HOUSE)
    assert isinstance(read, Silence)
    return read


def end_of(read: Silence, now: str, zone: ZoneInfo) -> datetime:
    moment = local(now, zone)
    if read.length:
        return moment + read.length
    return resolve_silence_end(read.end, moment, zone).end


def local(text: str, zone: ZoneInfo) -> datetime:
    named = datetime.fromisoformat(text)
    return (named if named.tzinfo else named.replace(tzinfo=zone)).astimezone(UTC)


@pytest.mark.parametrize(("words", "zone", "now", "end", "comment"), cases())
def test_silence_ends_as_meant_or_is_asked_back(
    words: str, zone: str, now: str, end: str, comment: str
) -> None:
    place = ZoneInfo(zone)
    if not end:
        with pytest.raises(BadQuestion) as caught:
            end_of(silence(words), now, place)
        assert str(caught.value.message)
        return
    for name in ("spike", '"night spike"', "night spike"):
        read = silence(words, name)
        assert read.name == name.strip('"')
        assert end_of(read, now, place) == local(end, place)
        assert read.comment == comment


def test_most_expressions_are_read() -> None:
    meant = [case for case in cases() if case[3]]
    assert len(meant) > 220
