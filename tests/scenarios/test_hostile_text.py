"""Text written by people and vendors is shown unchanged and has no effect, wherever it is shown."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Any

import pytest

from bot.sandbox.sandbox import Sandbox
from bot.sandbox.slack import BOT, Channel, Message
from bot.slack.manifest import AGENT_SCOPES, SCOPES
from tests.support.alerts import SPIKE, Meter, evaluations, running
from tests.support.clock import MovableClock as Clock
from tests.support.inert import HOSTILE, complaints, wrong

pytestmark = pytest.mark.usefixtures("before_noon")
EVERYBODY = {"usage": ["*"], "apiaudit": ["*"], "logs": ["*"]}
Path = Callable[[Sandbox, str], Awaitable[None]]


async def ask(sandbox: Sandbox, line: str, *, user: str = "U0ADA") -> None:
    # Slack takes no more than that from a person.
    await sandbox.slack.answer_to(line[:3900], user=user, timeout_s=30)


def asking(*lines: str, user: str = "U0ADA") -> Path:
    """Types the lines one after the other, with the text in place of `{}`."""

    async def path(sandbox: Sandbox, text: str) -> None:
        for line in lines:
            await ask(sandbox, line.replace("{}", text), user=user)

    return path


async def home(sandbox: Sandbox, text: str) -> None:
    del text
    sandbox.slack.homes.clear()
    await sandbox.slack.open_home("U0ADA")
    await sandbox.slack.until(lambda: sandbox.slack.homes.get("U0ADA"), timeout_s=30)


def messages_of(sandbox: Sandbox, begins: str) -> list[Message]:
    return [m for m in sandbox.slack.messages if m.text.startswith(begins)]


async def mention(sandbox: Sandbox, text: str) -> None:
    before = len(sandbox.slack.messages)
    await sandbox.slack.say(f"@Opswatch usage {text[:3900]}")
    await sandbox.slack.until(
        lambda: [m for m in sandbox.slack.messages[before + 1 :] if m.user == BOT], timeout_s=30
    )


def _answered(sandbox: Sandbox, before: int) -> list[Message]:
    return [m for m in sandbox.slack.messages[before + 1 :] if m.user == BOT]


async def agent_message(sandbox: Sandbox, text: str) -> None:
    """Written in the app's own thread, whose title becomes the question."""
    slack = sandbox.slack
    slack.scopes = ",".join({**SCOPES, **AGENT_SCOPES})
    slack.channels["D0ADA"] = Channel("D0ADA", "Ada", "", direct_with="U0ADA")
    thread = await slack.start_agent_thread()
    for words in (f"usage {text}", f'apiaudit edge 24h who:"{text}"'):
        before = len(slack.messages)
        await slack.say(words[:3900], channel="D0ADA", thread_ts=thread)
        await slack.until(
            partial(_answered, sandbox, before),
            timeout_s=30,
        )
    assert not any("<!" in title for title in slack.agent_titles.values())


async def workflow_step(sandbox: Sandbox, text: str) -> None:
    before = len(sandbox.slack.messages)
    step = await sandbox.slack.run_step(f'apiaudit edge 24h who:"{text[:200]}"', "C0OPS")
    if sandbox.slack.steps[step] == "completed":
        await sandbox.slack.until(
            lambda: [m for m in sandbox.slack.messages[before:] if m.user == BOT], timeout_s=30
        )


def form(line: str, action: str, **given: str) -> Path:
    """A form that is opened from the answer to a line, and submitted."""

    async def path(sandbox: Sandbox, text: str) -> None:
        answer = await sandbox.slack.answer_to(line.replace("{}", text)[:3900], timeout_s=30)
        sandbox.slack.views.clear()
        if len(text) > 2000:
            # Longer than what a button may hold, so there is none.
            assert action not in json.dumps(answer.blocks)
            return
        await sandbox.slack.press(answer, action)
        view = await sandbox.slack.until(sandbox.slack.modal, timeout_s=30)
        filled = {name: value.replace("{}", text)[:200] for name, value in given.items()}
        if filled:
            await sandbox.slack.submit(view, **filled)

    return path


async def vendor_error(sandbox: Sandbox, text: str) -> None:
    for server in (sandbox.akamai, sandbox.devicewise, sandbox.rapid7):
        body = json.dumps(
            {
                "message": text,
                "title": text,
                "detail": text,
                "errors": [text],
                "errorMessages": [text],
            }
        )
        server.answer_with(400, body, times=3, Content_Type="application/json")
    for line in (
        "/apiaudit edge 24h",
        "/apiaudit iot 24h",
        "/usage yesterday",
        "/logs kitchen 20m",
    ):
        await ask(sandbox, line)
    for server in (sandbox.akamai, sandbox.devicewise, sandbox.rapid7):
        server.faults.clear()


# Where text is shown, in an order that lets one make what the next one shows. Some show too little
# of it to be recognised.
TYPED: dict[str, Path] = {
    "window": asking("/usage {}", "/apiaudit last {}", "/usage last {} days"),
    "filter": asking('/apiaudit edge 24h who:"{}"', "/apiaudit {}:x", "/apiaudit 24h status:{}"),
    "log name": asking('/logs "{}" 20m', "/logs {}", "/logs kitchen,{} 20m"),
    "query": asking("/logs kitchen 20m where(/{}/)", "/logs kitchen 20m where({})"),
    "alert name": asking("/usage silence {} 2h", "/usage unalert {}", '/usage unsilence "{}"'),
    "silence comment": asking('/usage silence ingest-spike 2h "{}"', "/usage alerts"),
    "home with silence": home,
    "end of silence": asking("/usage unsilence ingest-spike", user="U0LINUS"),
    "subscription": asking(
        '/apiaudit subscribe edge 24h who:"{}" at 09:00',
        "/apiaudit subscriptions",
        "/usage subscriptions",
    ),
    "subscription time": asking(
        "/usage subscribe last 7 days at 09:00 on {}",
        "/usage subscribe {}",
        "/usage unsubscribe {}",
    ),
    "alert": asking(
        '/apiaudit alert edge last 1h who:"{}" failures above 900 as pantry', "/apiaudit alerts"
    ),
    "alert words": asking(
        "/usage alert {}", "/usage alert today above {}", "/usage alert today above 5 GB {}"
    ),
    "home with schedules": home,
    "saved question": asking(
        '/apiaudit save edge 24h who:"{}" as pantry',
        "/apiaudit saved",
        "/apiaudit pantry",
        "/apiaudit save {} as pantry",
        "/apiaudit save edge 24h as {}",
        "/apiaudit unsave {}",
    ),
    "saved question of others": asking("/apiaudit save edge 2h as pantry", user="U0LINUS"),
    "comparison": asking(
        '/apiaudit edge 24h vs previous who:"{}"',
        "/apiaudit edge today vs {}",
        "/usage {} vs today",
    ),
    "new values": asking('/apiaudit edge 24h new actor who:"{}"', "/apiaudit edge 24h new {}"),
    "message to the agent": agent_message,
    "workflow step": workflow_step,
    "others' alert": asking("/apiaudit unalert pantry", "/apiaudit unsubscribe 1", user="U0LINUS"),
    "mention": mention,
    "form of a question": form("/usage {}", "modal.question"),
    "form of an alert": form("/usage alert {}", "modal.alert", threshold="{}", question="{}"),
    "form of a subscription": form("/usage subscribe {}", "modal.repeat", question="{}"),
    "form of a silence": form("/usage silence ingest-spike {}", "modal.silence", comment="{}"),
}
VENDOR: dict[str, Path] = {
    "actors": asking(
        "/apiaudit edge 24h",
        "/apiaudit edge 24h failures csv",
        "/apiaudit iot 24h",
        "/apiaudit 24h",
    ),
    "compared actors": asking("/apiaudit edge 24h vs previous", "/apiaudit iot 24h vs previous"),
    "new actors": asking("/apiaudit edge 24h new actor", "/apiaudit iot 2h new action"),
    "workflow step": workflow_step,
    "logs of an account": asking("/logs nothing 20m", "/usage yesterday per log"),
    "lines": asking("/logs kitchen 20m"),
    "errors": vendor_error,
    "home": home,
}


def poison(sandbox: Sandbox, text: str) -> None:
    """Puts the text into every value that a vendor's users may choose."""

    def akamai(start: datetime, end: datetime) -> Any:
        for row in akamai_rows(start, end):
            yield {
                **row,
                "clientOwner": text,
                "clientId": text,
                "method": text,
                "uri": text,
                "responseCode": "500",
            }

    def devicewise(start: datetime, end: datetime) -> Any:
        request = json.dumps({"1": {"Command": text, "Params": {"thingKey": text}}})
        response = json.dumps(
            {"1": {"success": False, "errorCodes": [-90008], "errorMessages": [text]}}
        )
        for row in devicewise_rows(start, end):
            yield {**row, "whoami": text, "orgKey": text, "request": request, "response": response}

    akamai_rows = sandbox.akamai.rows
    devicewise_rows = sandbox.devicewise.rows
    sandbox.akamai.rows = akamai
    sandbox.devicewise.rows = devicewise
    sandbox.rapid7.logs = {key: f"{text[:300]} {name}" for key, name in sandbox.rapid7.logs.items()}
    sandbox.rapid7.lines = lambda key, start, end: iter([text.replace("\n", "\\n")] * 30)


def times_shown(sandbox: Sandbox) -> int:
    views = [view.view for view in sandbox.slack.views.values()]
    texts = [m.text + json.dumps(m.blocks) for m in sandbox.slack.messages if m.user == BOT]
    return json.dumps([*texts, *views, *sandbox.slack.homes.values()]).count("zebra")


async def walk(sandbox: Sandbox, paths: dict[str, Path], text: str) -> None:
    for name, path in paths.items():
        try:
            await path(sandbox, text)
        except AssertionError as error:
            raise AssertionError(f"{name}: {error}") from error
        assert complaints(sandbox.slack) == [], name
    assert sandbox.slack.refused == []


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
async def test_typed_text_is_inert_everywhere(sandbox: Sandbox, clock: Clock, text: str) -> None:
    Meter(sandbox)(6)
    async with running(sandbox, SPIKE, access=EVERYBODY) as bot:
        clock.strike(15)
        await evaluations(bot, 1)
        await sandbox.slack.until(
            lambda: [m for m in sandbox.slack.messages if m.text.startswith("🔴")], timeout_s=30
        )
        await walk(sandbox, TYPED, text)
        await sandbox.slack.until(
            lambda: [m for m in sandbox.slack.messages if m.thread_ts and "zebra" in m.text],
            timeout_s=30,
        )
    assert times_shown(sandbox) > 30, "the text is shown at all"
    assert complaints(sandbox.slack) == []


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
async def test_vendor_text_is_inert_everywhere(sandbox: Sandbox, clock: Clock, text: str) -> None:
    Meter(sandbox)(6)
    poison(sandbox, text)
    failing = {
        **SPIKE,
        "name": "failing",
        "ask": "/apiaudit last 1h",
        "value": "failures",
        "above": 0,
        "recover": 0,
        "each": "actor",
    }
    digest = {
        "name": "hourly",
        "ask": "/apiaudit edge last 1h",
        "at": "0 * * * *",
        "channel": "#ops",
    }
    async with running(sandbox, failing, digest=[digest], access=EVERYBODY):
        clock.strike(60)
        for begins in ("🔴 failing", "Digest hourly"):
            await sandbox.slack.until(partial(messages_of, sandbox, begins), timeout_s=30)
        await walk(sandbox, VENDOR, text)
    assert times_shown(sandbox) > 30, "the text is shown at all"


@pytest.mark.parametrize(
    ("text", "is_wrong"),
    [
        ("`<!channel>`", True),
        ("<https://evil.example|Click>", True),
        ("<@U1>", True),
        ("a *bold* word", True),
        ("first\ninjected", True),
        ("a\u202eb", True),
        ("`*bold*` &lt;!channel&gt;", False),
        ("*Alerts* <@U0ADA> <!date^1^{date_short_pretty} {time}|now>", False),
    ],
)
def test_checker_finds_what_acts(text: str, is_wrong: bool) -> None:
    assert (
        bool(wrong({"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}))
        is is_wrong
    )
