"""Keeps the canvas of a digest up to date: a canvas of the bot's own, as a tab of the channel.

What people have written is in other canvases, which are never changed. A canvas that Slack may have
created without confirming it is found by the reference in its last line. Pages: "canvases.create",
"canvases.edit", "canvases.sections.lookup".
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field
from msgspec.structs import replace

from bot.blocks.canvas import CanvasPage, literal
from bot.errors import SlackDeliveryUnknown, SlackRefused
from bot.slack.errors import Cause, cause_of
from bot.store import CanvasStore, StoredCanvas

if TYPE_CHECKING:
    from bot.slack.client import SlackClient

log = logging.getLogger("opswatch")
_DELETED = frozenset({"canvas_deleted", "canvas_not_found"})
# The app may not read a canvas of somebody else, in a tab that it sees.
_UNREADABLE = _DELETED | {"access_denied", "no_permission", "restricted_action"}
# How long another process may take for an update: a few calls to Slack, each with its time-out. One
# that could not release its claim must not keep a canvas from being updated for ever.
UPDATED_WITHIN_S = 60.0
LOOK_EVERY_S = 0.2
_ONE_EACH = "a workspace on Slack's free plan has one canvas in each channel"
# Why Slack takes no canvas from the app, by its error code. Anything else is a problem of this one
# canvas, or of the channel.
UNAVAILABLE: Mapping[str, str] = MappingProxyType(
    {
        "access_denied": "Slack denies the app access to the canvas",
        "canvas_disabled_user_team": "canvases are switched off in this workspace",
        # Of a group's direct messages, too, in which messages can be posted.
        "channel_not_found": "the channel has no tabs for canvases, or the app is not in it",
        "ekm_access_denied": "an administrator has suspended the channel's files and messages",
        "free_team_canvas_tab_already_exists": _ONE_EACH,
        "free_teams_cannot_create_non_tabbed_canvases": _ONE_EACH,
        "free_teams_cannot_edit_standalone_canvases": _ONE_EACH,
        "missing_scope": (
            "the app lacks canvases:read or canvases:write; update it from the output of "
            "`opswatch manifest --canvas` and reinstall it"
        ),
        "no_permission": "Slack gives the app no permission for canvases",
        "not_allowed_token_type": "Slack does not let this kind of app use canvases",
        "restricted_action": "a setting of the workspace keeps the app from creating canvases",
        "team_access_not_granted": "the app has no access to the workspace of the canvas",
        "team_tier_cannot_create_channel_canvases": "the plan of this workspace has no canvases",
    }
)


class Canvases(Struct, frozen=True):
    """The canvases of digests."""

    store: CanvasStore
    client: SlackClient
    # By digest and channel: a new subscription and its first run must not create two canvases.
    _locks: dict[tuple[str, str], asyncio.Lock] = field(default_factory=dict)

    async def update(
        self, page: CanvasPage, channel: str, channel_id: str, *, is_first: bool = False
    ) -> str:
        """Brings the canvas of a digest up to date, and creates it if it is not there; a first page
        only creates it. Returns the error code if there can be none, and raises what the client
        raises for everything else.
        """
        async with self._alone(page.digest, channel_id):
            if is_first and await self._has_canvas(page.digest, channel, channel_id):
                return ""
            return await self._update_or_refusal(page, channel, channel_id)

    async def close(self, digest: str, channel: str, note: str) -> bool | None:
        """Writes above a canvas that it is no longer updated; False where Slack does not take that,
        and None where there is no canvas. What it shows stays.
        """
        async with self._alone(digest, channel):
            stored = await self._stored(digest, channel, channel)
            if stored is None or not stored.canvas_id:
                return None
            content = {"type": "markdown", "markdown": f"**{literal(note)}**\n\n"}
            change = {"operation": "insert_at_start", "document_content": content}
            try:
                await self.client.call(
                    "canvases.edit", canvas_id=stored.canvas_id, changes=[change]
                )
            except (SlackRefused, SlackDeliveryUnknown) as error:
                log.info("The canvas of %s was not marked as ended: %s", digest, error)
                return None if isinstance(error, SlackRefused) and error.code in _DELETED else False
            return True

    @asynccontextmanager
    async def _alone(self, digest: str, channel_id: str) -> AsyncIterator[None]:
        """Nobody else updates the canvas meanwhile, in this process or in another one."""
        async with self._locks.setdefault((digest, channel_id), asyncio.Lock()):
            # A claim that is committed while this is cancelled ends, too.
            try:
                await self._wait_for_others(digest, channel_id)
                yield
            finally:
                await self.store.end_update(digest, channel_id)

    async def _wait_for_others(self, digest: str, channel_id: str) -> None:
        ends_at = time.monotonic() + UPDATED_WITHIN_S
        while not await self.store.begin_update(digest, channel_id):
            if time.monotonic() >= ends_at:
                log.warning("Another process is still updating the canvas of %s.", digest)
                return
            await asyncio.sleep(LOOK_EVERY_S)

    async def _update_or_refusal(self, page: CanvasPage, channel: str, channel_id: str) -> str:
        stored = await self._stored(page.digest, channel, channel_id)
        try:
            await self._update(page, stored, channel_id)
        except SlackRefused as error:
            if error.code not in UNAVAILABLE:
                raise
            log.warning("There is no canvas for the digest %s (%s).", page.digest, error.code)
            known = await self._stored(page.digest, channel, channel_id)
            known = known or StoredCanvas(page.digest, channel_id, "", "", "")
            await self.store.save(replace(known, problem=error.code))
            return error.code
        return ""

    async def _has_canvas(self, digest: str, channel: str, channel_id: str) -> bool:
        stored = await self._stored(digest, channel, channel_id)
        return stored is not None and stored.canvas_id != ""

    async def _stored(self, digest: str, channel: str, channel_id: str) -> StoredCanvas | None:
        """What is known of a canvas, by the id of its channel: its name may be replaced by the id in
        the configuration, and the canvas is the same.
        """
        stored = await self.store.canvas(digest, channel_id)
        if stored is None and channel != channel_id:
            # While the id was not known.
            stored = await self.store.canvas(digest, channel)
        return replace(stored, channel=channel_id) if stored else None

    async def _update(self, page: CanvasPage, stored: StoredCanvas | None, channel_id: str) -> None:
        content = hashlib.sha256(page.markdown.encode()).hexdigest()
        if stored and stored.canvas_id and await self._edit(page, stored, content):
            return
        # Of an attempt to create it that was not confirmed.
        reference = stored.reference if stored and not stored.canvas_id else ""
        canvas = StoredCanvas(page.digest, channel_id, "", reference, "")
        if reference and (found := await self._find(canvas, channel_id)):
            canvas = replace(canvas, canvas_id=found)
            if await self._edit(page, canvas, content):
                return
        await self._create(page, replace(canvas, canvas_id=""), content, channel_id)

    async def _edit(self, page: CanvasPage, canvas: StoredCanvas, content: str) -> bool:
        """Replaces what the canvas shows, if that has changed. False if somebody has deleted it."""
        try:
            if canvas.content == content:
                # A canvas that is not changed may have been deleted, too.
                await self._sections(canvas.canvas_id, section_types=["any_header"])
            else:
                change = {"operation": "replace", "document_content": _document(page, canvas)}
                await self.client.call(
                    "canvases.edit", canvas_id=canvas.canvas_id, changes=[change]
                )
        except SlackRefused as error:
            if error.code not in _DELETED:
                raise
            log.info("The canvas of the digest %s was deleted.", page.digest)
            return False
        if canvas.content != content or canvas.problem:
            await self.store.save(replace(canvas, content=content, problem=""))
        return True

    async def _create(
        self, page: CanvasPage, canvas: StoredCanvas, content: str, channel_id: str
    ) -> None:
        """Creates the canvas as a tab of the channel. What is saved before lets a later attempt find
        it, if the bot is killed or Slack does not answer.
        """
        canvas = replace(canvas, reference=canvas.reference or secrets.token_hex(4))
        await self.store.save(canvas)
        try:
            answer = await self.client.call(
                "canvases.create",
                title=page.title,
                channel_id=channel_id,
                document_content=_document(page, canvas),
            )
        except SlackRefused as error:
            # Where Slack itself failed, the canvas may be there all the same.
            if cause_of(error.code) is not Cause.UNSURE:
                await self.store.save(replace(canvas, reference=""))
            raise
        await self.store.save(replace(canvas, canvas_id=str(answer["canvas_id"]), content=content))

    async def _find(self, canvas: StoredCanvas, channel_id: str) -> str:
        """The id of a canvas whose creation was not confirmed; empty if it is not in the channel."""
        answer = await self.client.read("conversations.info", channel=channel_id)
        for file_id in _tabs(answer["channel"]):
            try:
                if await self._sections(file_id, contains_text=canvas.reference):
                    return file_id
            except SlackRefused as error:
                if error.code not in _UNREADABLE:
                    raise
        return ""

    async def _sections(self, canvas_id: str, **criteria: Any) -> list[Any]:
        answer = await self.client.read(
            "canvases.sections.lookup", canvas_id=canvas_id, criteria=criteria
        )
        found: list[Any] = answer.get("sections") or []
        return found


def _document(page: CanvasPage, canvas: StoredCanvas) -> dict[str, str]:
    footer = f"{page.footer} · {canvas.reference}"
    return {"type": "markdown", "markdown": f"{page.markdown}\n\n---\n\n{footer}"}


def _tabs(channel: Mapping[str, Any]) -> list[str]:
    """The ids of the canvases among the tabs of a channel."""
    tabs = (channel.get("properties") or {}).get("tabs") or []
    return [
        str(tab["data"]["file_id"])
        for tab in tabs
        if tab.get("type") == "canvas" and (tab.get("data") or {}).get("file_id")
    ]
