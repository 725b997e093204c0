"""What people do with modals in the sandbox Slack: fill in, press, choose, submit and close."""

from __future__ import annotations

import asyncio
from typing import Any

from bot.sandbox import modal_schema
from bot.sandbox.slack.deliveries import Deliveries
from bot.sandbox.slack.records import Ack, View, missing_inputs


class ModalPeople(Deliveries):
    """What people do with modals in the sandbox Slack."""

    __slots__ = ()

    async def submit(self, view: View, **given: str) -> Ack:
        """Presses a modal's submit button, with these values in its inputs by block id. It closes
        unless the bot answers with errors or another view.
        """
        state = view.state(given)
        payload = {"type": "view_submission", **self._from_view(view, state), "response_urls": []}
        missing = missing_inputs(view, state)
        if missing:
            raise AssertionError(f"Slack itself would not let this be submitted without {missing}")
        ack = await self._send("interactive", payload)
        async with asyncio.timeout(3):
            answer = await ack.done
        self._apply_answer(view, answer if isinstance(answer, dict) else {})
        return ack

    async def press_in(self, view: View, action_id: str, **given: str) -> Ack:
        """Presses a button inside a modal."""
        inside = [
            (b, e)
            for b in view.view["blocks"]
            for e in [*b.get("elements", []), b.get("accessory") or {}]
        ]
        [(block, element)] = [(b, e) for b, e in inside if e.get("action_id") == action_id]
        payload = {
            "type": "block_actions",
            **self._from_view(view, view.state(given)),
            "container": {"type": "view", "view_id": view.id},
            "actions": [
                {**element, "block_id": block.get("block_id", "b1"), "action_ts": self._ts()}
            ],
        }
        return await self._send("interactive", payload)

    async def options(self, view: View, action_id: str, typed: str) -> list[str]:
        """What an external select offers for what was typed."""
        payload = {
            "type": "block_suggestion",
            **self._from_view(view, view.state({})),
            "action_id": action_id,
            "block_id": action_id,
            "value": typed,
            "container": {"type": "view", "view_id": view.id},
        }
        ack = await self._send("interactive", payload)
        async with asyncio.timeout(3):
            answer = await ack.done
        return [option["value"] for option in answer.get("options", [])]

    def close(self, view: View) -> None:
        """Closes a modal as a person does."""
        self.views.pop(view.id, None)
        self._show_view(view.user)

    def _interaction_of(self, user: str) -> dict[str, Any]:
        """The fields of every interaction: who acted, in which workspace, with which app."""
        name = self.users[user].name.lower()
        return {
            "team": {"id": "T0SANDBOX", "domain": "sandbox"},
            "user": {"id": user, "username": name, "team_id": "T0SANDBOX"},
            "api_app_id": "A0OPSWATCH",
            "token": "sandbox",
            "trigger_id": self._trigger(user),
            "enterprise": None,
            "is_enterprise_install": False,
        }

    def _from_view(self, view: View, state: dict[str, Any]) -> dict[str, Any]:
        return {
            **self._interaction_of(view.user),
            "view": {
                **view.view,
                "id": view.id,
                "hash": view.hash,
                "state": state,
                "root_view_id": view.id,
                "app_id": "A0OPSWATCH",
            },
        }

    def _apply_answer(self, view: View, answer: dict[str, Any]) -> None:
        """Applies the answer to a submitted modal."""
        if answer.get("response_action") == "errors":
            # Slack ignores errors of any other block, and the modal looks stuck.
            inputs = {b["block_id"] for b in view.view["blocks"] if b["type"] == "input"}
            if not answer.get("errors") or set(answer["errors"]) - inputs:
                self.refused.append(f"view_submission: errors name no inputs {answer}")
            view.errors = answer.get("errors", {})
        elif answer.get("response_action") == "update":
            if found := modal_schema.view_complaints(answer.get("view")):
                self.refused.append(f"view_submission: {found}")
            view.view = answer["view"]
            view.errors = {}
        else:
            self.views.pop(view.id, None)
        self._show_view(view.user)
        self._notify()

    def _trigger(self, user: str, given: str = "") -> str:
        """A trigger id, which can be used once within three seconds."""
        trigger = given or self._id("trigger.")
        # When it was made, as it expires.
        self.triggers[trigger] = (user, self.clock())
        return trigger
