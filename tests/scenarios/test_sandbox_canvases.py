"""The sandbox's canvases reject what Slack rejects according to its documentation."""

from __future__ import annotations

from typing import Any

import pytest

from bot.sandbox.slack import SlackSandbox
from bot.sandbox.slack.state import CANVAS_SCOPES, SCOPES


def slack(*, is_free: bool = False) -> SlackSandbox:
    return SlackSandbox(scopes=f"{SCOPES},{CANVAS_SCOPES}", is_free=is_free)


def document(markdown: str) -> dict[str, str]:
    return {"type": "markdown", "markdown": markdown}


def table(rows: int, columns: int) -> str:
    line = f"|{' a |' * columns}"
    return "\n".join([line, f"|{' --- |' * columns}", *[line] * (rows - 1)])


IN_OPS = {"channel_id": "C0OPS"}
REFUSED = {
    "unknown channel": ({"channel_id": "C0NONE"}, "channel_not_found"),
    "name of a channel": ({"channel_id": "#ops"}, "channel_not_found"),
    "channel without the bot": ({"channel_id": "C0QUIET"}, "not_in_channel"),
    "other type": ({"document_content": {"type": "html", "markdown": "a"}}, "invalid_arguments"),
    "blocks": ({"document_content": {"type": "markdown", "blocks": []}}, "invalid_arguments"),
    "too long": ({"document_content": document("a" * 1_048_577)}, "invalid_arguments"),
    "301 cells": ({"document_content": document(table(43, 7))}, "canvas_creation_failed"),
    "mention of a message": ({"document_content": document("<@U0ADA>")}, "canvas_creation_failed"),
    "long title": ({"title": "a" * 256}, "invalid_arguments"),
}


@pytest.mark.parametrize(("args", "error"), REFUSED.values(), ids=REFUSED)
def test_creation_is_refused(args: dict[str, Any], error: str) -> None:
    assert slack()._api_canvases_create({**IN_OPS, **args})["error"] == error


def test_table_of_300_cells_is_taken() -> None:
    content = document(table(30, 10) + "\n\n`<@U0ADA>` a \\| b")
    assert slack()._api_canvases_create({**IN_OPS, "document_content": content})["ok"]


def test_scopes_are_checked() -> None:
    without = SlackSandbox()
    for method, needed in (("canvases_create", "write"), ("canvases_sections_lookup", "read")):
        answer = getattr(without, f"_api_{method}")(IN_OPS)
        assert (answer["error"], answer["needed"]) == ("missing_scope", f"canvases:{needed}")


def test_channel_has_one_channel_canvas() -> None:
    paid = slack()
    assert paid._api_canvases_create(IN_OPS)["ok"]
    assert paid._api_conversations_canvases_create(IN_OPS)["ok"]
    again = paid._api_conversations_canvases_create(IN_OPS)
    assert again["error"] == "channel_canvas_already_exists"
    tabs = paid._api_conversations_info({"channel": "C0OPS"})["channel"]["properties"]["tabs"]
    assert [tab["type"] for tab in tabs] == ["files", "canvas", "canvas"]


def test_free_plan_has_one_canvas_in_each_channel() -> None:
    free = slack(is_free=True)
    alone = free._api_canvases_create({})
    assert alone["error"] == "free_teams_cannot_create_non_tabbed_canvases"
    assert free._api_canvases_create(IN_OPS)["ok"]
    again = free._api_canvases_create(IN_OPS)
    assert again["error"] == "free_team_canvas_tab_already_exists"


CHANGES = {
    "several": ([{"operation": "delete"}] * 2, "invalid_arguments"),
    "unknown operation": ([{"operation": "append"}], "invalid_arguments"),
    "no content": ([{"operation": "replace"}], "invalid_arguments"),
    "no section": (
        [{"operation": "insert_after", "document_content": document("a")}],
        "invalid_arguments",
    ),
    "unknown section": ([{"operation": "delete", "section_id": "F1"}], "canvas_editing_failed"),
    "section where none belongs": (
        [{"operation": "insert_at_end", "section_id": "F1", "document_content": document("a")}],
        "invalid_arguments",
    ),
}


@pytest.mark.parametrize(("changes", "error"), CHANGES.values(), ids=CHANGES)
def test_change_is_refused(changes: list[Any], error: str) -> None:
    edited = slack()
    canvas = edited.write_canvas("C0OPS", "Team", "# Rules\n\nOurs.")
    answer = edited._api_canvases_edit({"canvas_id": canvas.id, "changes": changes})
    assert answer["error"] == error
    assert canvas.markdown == "# Rules\n\nOurs."


def test_sections_are_found_and_changed() -> None:
    edited = slack()
    canvas = edited.write_canvas("C0OPS", "Team", "# Rules\n\nOurs.\n\n```\n# code\n\nmore\n```")

    def find(**criteria: Any) -> list[str]:
        args = {"canvas_id": canvas.id, "criteria": criteria}
        return [found["id"] for found in edited._api_canvases_sections_lookup(args)["sections"]]

    [heading] = find(section_types=["any_header"])
    assert find(contains_text="Ours") == [canvas.sections[1].id]
    assert find(section_types=["h2"]) == []
    change = {"operation": "replace", "section_id": heading, "document_content": document("# New")}
    assert edited._api_canvases_edit({"canvas_id": canvas.id, "changes": [change]})["ok"]
    assert canvas.markdown == "# New\n\nOurs.\n\n```\n# code\n\nmore\n```"
    edited.delete_canvas(canvas)
    args = {"canvas_id": canvas.id, "criteria": {"contains_text": "Ours"}}
    assert edited._api_canvases_sections_lookup(args)["error"] == "canvas_not_found"
