"""Canvases of digests when Slack refuses or does not confirm a request."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from bot.blocks.canvas import CanvasPage
from bot.errors import SlackRefused
from bot.slack.canvases import Canvases
from bot.slack.client import SlackClient
from bot.store import StoredCanvas

PAGE = CanvasPage("morning", "Morning", "## 5 GB", "Digest `morning`")
CHANGED = CanvasPage("morning", "Morning", "## 6 GB", "Digest `morning`")
CHANNEL = ("C0OPS", "C0OPS")


class StoredCanvases:
    """The canvases in a database."""

    def __init__(self) -> None:
        self.stored: dict[tuple[str, str], StoredCanvas] = {}

    async def canvas(self, digest: str, channel: str) -> StoredCanvas | None:
        await asyncio.sleep(0)
        return self.stored.get((digest, channel))

    async def save(self, canvas: StoredCanvas) -> None:
        self.stored[canvas.digest, canvas.channel] = canvas

    async def begin_update(self, digest: str, channel: str) -> bool:
        return True

    async def end_update(self, digest: str, channel: str) -> None:
        """Does nothing, since no other process updates it."""

    async def refused(self) -> list[StoredCanvas]:
        return [canvas for canvas in self.stored.values() if canvas.problem]


class Slack:
    """The canvases in the tabs of one channel. Refusals are given by method, or by the id of a
    canvas.
    """

    def __init__(self) -> None:
        self.canvases: dict[str, str] = {}
        self.refusals: dict[str, str] = {}
        # Slack says that it failed, after it has created the canvas.
        self.failure = ""

    async def call(self, method: str, **given: Any) -> dict[str, Any]:
        await asyncio.sleep(0)
        if refusal := self.refusals.get(method) or self.refusals.get(given.get("canvas_id", "")):
            raise SlackRefused(refusal)
        if method == "canvases.create":
            canvas_id = f"F{len(self.canvases)}"
            self.canvases[canvas_id] = given["document_content"]["markdown"]
            if self.failure:
                raise SlackRefused(self.failure)
            return {"canvas_id": canvas_id}
        if method == "canvases.edit":
            [change] = given["changes"]
            self.canvases[given["canvas_id"]] = change["document_content"]["markdown"]
            return {}
        if method == "conversations.info":
            tabs = [{"type": "canvas", "data": {"file_id": each}} for each in self.canvases]
            return {"channel": {"properties": {"tabs": tabs}}}
        wanted = given["criteria"].get("contains_text", "")
        return {"sections": [{}] if wanted in self.canvases[given["canvas_id"]] else []}

    read = call


@pytest.fixture
def slack() -> Slack:
    return Slack()


@pytest.fixture
def canvases(slack: Slack) -> Canvases:
    return Canvases(StoredCanvases(), cast(SlackClient, slack))


@pytest.mark.parametrize(
    "failure", ["fatal_error", "internal_error", "request_timeout", "service_unavailable"]
)
async def test_failure_of_slack_makes_no_second_canvas(
    canvases: Canvases, slack: Slack, failure: str
) -> None:
    slack.failure = failure
    with pytest.raises(SlackRefused):
        await canvases.update(PAGE, *CHANNEL)
    slack.failure = ""
    assert await canvases.update(PAGE, *CHANNEL) == ""
    assert len(slack.canvases) == 1


@pytest.mark.parametrize("refusal", ["access_denied", "canvas_not_found", "restricted_action"])
async def test_unreadable_tab_blocks_no_canvas(
    canvases: Canvases, slack: Slack, refusal: str
) -> None:
    slack.canvases["FTEAM"] = "# Only for some"
    slack.refusals["FTEAM"] = refusal
    slack.failure = "fatal_error"
    with pytest.raises(SlackRefused):
        await canvases.update(PAGE, *CHANNEL)
    slack.failure = ""
    assert await canvases.update(PAGE, *CHANNEL) == ""
    assert len(slack.canvases) == 2


@pytest.mark.parametrize("refusal", ["access_denied", "channel_not_found"])
@pytest.mark.parametrize("method", ["canvases.create", "canvases.edit"])
async def test_denied_canvas_is_no_fault_of_app(
    canvases: Canvases, slack: Slack, method: str, refusal: str
) -> None:
    """Otherwise no more messages would be sent, in this channel or in any."""
    if method == "canvases.edit":
        await canvases.update(PAGE, *CHANNEL)
    slack.refusals[method] = refusal
    assert await canvases.update(CHANGED, *CHANNEL) == refusal


@pytest.mark.parametrize(("before", "after"), [("#ops", "C0OPS"), ("C0OPS", "#ops")])
async def test_id_in_place_of_name_is_same_channel(
    canvases: Canvases, slack: Slack, before: str, after: str
) -> None:
    await canvases.update(PAGE, before, "C0OPS")
    await canvases.update(CHANGED, after, "C0OPS")
    assert len(slack.canvases) == 1
    assert "6 GB" in slack.canvases["F0"]


async def test_first_page_replaces_no_answer(canvases: Canvases, slack: Slack) -> None:
    """A digest may run while its subscription is being confirmed."""
    await asyncio.gather(
        canvases.update(CHANGED, *CHANNEL), canvases.update(PAGE, *CHANNEL, is_first=True)
    )
    assert ["6 GB" in shown for shown in slack.canvases.values()] == [True]


async def test_simultaneous_updates_make_one_canvas(canvases: Canvases, slack: Slack) -> None:
    await asyncio.gather(*(canvases.update(PAGE, *CHANNEL) for _ in range(3)))
    assert len(slack.canvases) == 1


async def test_cancelled_claim_is_released(slack: Slack) -> None:
    """Others would wait for it as long as this process runs."""
    claiming = asyncio.Event()
    stored = StoredCanvases()
    released = list[str]()

    async def begin_update(digest: str, channel: str) -> bool:
        # The database commits it, whatever becomes of the task.
        claiming.set()
        await asyncio.Event().wait()
        return True

    async def end_update(digest: str, channel: str) -> None:
        released.append(digest)

    stored.begin_update = begin_update  # type: ignore[method-assign]
    stored.end_update = end_update  # type: ignore[method-assign]
    update = asyncio.create_task(Canvases(stored, cast(SlackClient, slack)).update(PAGE, *CHANNEL))
    await claiming.wait()
    update.cancel()
    await asyncio.wait({update})
    assert released == [PAGE.digest]
