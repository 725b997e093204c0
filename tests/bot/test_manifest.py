"""The manifest: the file in the repository matches the commands, is within Slack's limits, and is
where the Slack CLI looks for it.
"""

from __future__ import annotations

import ast
import json
import re
import shlex
import subprocess
import sys
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from slack_sdk.web.async_client import AsyncWebClient

from bot.cli.main import main
from bot.questions.registry import COMMANDS
from bot.slack.manifest import (
    AGENT_EVENTS,
    AGENT_SCOPES,
    ASK_STEP,
    CANVAS_SCOPES,
    EVENTS,
    SCOPES,
    manifest,
    manifest_yaml,
)
from tests.conftest import ROOT

# Which scope each Web API method of ours needs.
NEEDS = {
    "chat_postMessage": "chat:write",
    "chat_postEphemeral": "chat:write",
    "chat_update": "chat:write",
    "chat_delete": "chat:write",
    "chat_startStream": "chat:write",
    "chat_appendStream": "chat:write",
    "chat_stopStream": "chat:write",
    "chat_getPermalink": "",
    "conversations_open": "im:write",
    "conversations_list": "channels:read",
    "conversations_info": "channels:read",
    "conversations_members": "channels:read",
    "conversations_replies": "channels:history",
    "conversations_history": "channels:history",
    "files_getUploadURLExternal": "files:write",
    "files_completeUploadExternal": "files:write",
    "usergroups_users_list": "usergroups:read",
    "usergroups_list": "usergroups:read",
    "canvases_create": "canvases:write",
    "canvases_edit": "canvases:write",
    "canvases_sections_lookup": "canvases:read",
    "users_info": "users:read",
    "users_list": "users:read",
    "views_publish": None,
    "views_open": None,
    "views_update": None,
    "auth_test": None,
    "apps_connections_open": None,
}

METHOD = re.compile(
    r"(chat|files|canvases|conversations|users|usergroups|views|auth|apps)_[A-Za-z_]+"
)


def test_committed_manifest_is_current() -> None:
    assert (ROOT / "manifest.yml").read_text() == manifest_yaml()
    assert yaml.safe_load(manifest_yaml()) == manifest()


def test_manifest_is_within_slack_limits() -> None:
    made = manifest()
    about = made["display_information"]
    assert len(about["name"]) <= 35
    assert len(about["description"]) <= 140
    assert 175 <= len(about["long_description"]) <= 4000
    assert re.fullmatch(r"#[0-9a-f]{6}", about["background_color"])
    commands = made["features"]["slash_commands"]
    assert [c["command"] for c in commands] == [f"/{name}" for name in COMMANDS]
    for command in commands:
        assert len(command["command"]) <= 32
        assert len(command["description"]) <= 2000
        assert len(command["usage_hint"]) <= 1000
    assert made["settings"]["interactivity"]["is_enabled"]
    for shortcut in made["features"]["shortcuts"]:
        assert len(shortcut["name"]) <= 24
        assert len(shortcut["description"]) <= 150
    assert made["features"]["app_home"]["home_tab_enabled"]


def called_methods() -> set[str]:
    """The methods of the Web API that the bot calls, by the SDK's name or by Slack's."""
    called = set()
    for room in ("bot", "handlers"):
        for path in (ROOT / room).rglob("*.py"):
            if path.name in ("pace.py", "web.py") or "sandbox" in path.relative_to(ROOT).parts:
                continue
            for node in ast.walk(ast.parse(path.read_text())):
                match node:
                    case ast.Attribute(attr=name) | ast.Constant(value=str(name)):
                        called.add(name.replace(".", "_"))
    return {name for name in called if METHOD.fullmatch(name) and hasattr(AsyncWebClient, name)}


def test_scopes_match_called_methods() -> None:
    called = called_methods()
    assert called == set(NEEDS)
    private = {"groups:read", "groups:history", "im:read"}
    heard = {"commands", "app_mentions:read"}
    needed = {NEEDS[name] for name in called if NEEDS[name]}
    assert needed - set(CANVAS_SCOPES) | heard | private == set(SCOPES)
    assert set(CANVAS_SCOPES) <= needed


def test_events_match_listeners() -> None:
    text = "".join(path.read_text() for path in (ROOT / "handlers").rglob("*.py"))
    heard = set(re.findall(r'app\.event\("([a-z_]+)"\)', text))
    assert heard == {event.partition(".")[0] for event in (*EVENTS, *AGENT_EVENTS)}


def test_agent_manifest_adds_what_the_surface_needs() -> None:
    made = manifest(is_agent=True)
    assert set(made["oauth_config"]["scopes"]["bot"]) == {*SCOPES, *AGENT_SCOPES}
    events = made["settings"]["event_subscriptions"]["bot_events"]
    assert set(events) == {*EVENTS, *AGENT_EVENTS}
    assert made["features"]["app_home"]["messages_tab_read_only_enabled"] is False
    assert set(made["features"]["assistant_view"]) == {"assistant_description"}
    assert "assistant_view" not in manifest()["features"]


def test_canvas_manifest_adds_its_scopes() -> None:
    made = manifest(has_canvases=True, is_agent=True)
    scopes = {*SCOPES, *AGENT_SCOPES, *CANVAS_SCOPES}
    assert set(made["oauth_config"]["scopes"]["bot"]) == scopes
    assert set(manifest()["oauth_config"]["scopes"]["bot"]) == set(SCOPES)


def test_workflow_manifest_adds_a_step() -> None:
    made = manifest(has_step=True)
    [step] = made["functions"]
    assert step == ASK_STEP
    inputs = made["functions"][step]["input_parameters"]
    assert set(inputs["required"]) == set(inputs["properties"]) == {"question", "channel"}
    assert made["settings"]["function_runtime"] == "remote"
    assert made["settings"]["org_deploy_enabled"] is True
    assert "functions" not in manifest()


@pytest.mark.parametrize(
    ("options", "part"),
    [(["--agent"], "assistant_view"), (["--workflow"], "function_runtime"), ([], "")],
)
def test_manifest_command_adds_what_is_chosen(options: list[str], part: str) -> None:
    ran = CliRunner().invoke(main, ["manifest", *options])
    assert ran.exit_code == 0
    assert part in ran.output
    assert ("assistant_view" in ran.output) is ("--agent" in options)
    assert ("function_runtime" in ran.output) is ("--workflow" in options)


def run_hook(command: str, *more: str) -> str:
    words = [
        sys.executable if word == ".venv/bin/python" else word for word in shlex.split(command)
    ]
    return subprocess.run(
        [*words, *more], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout


def test_slack_cli_finds_hooks_and_manifest() -> None:
    hooks = json.loads((ROOT / ".slack" / "hooks.json").read_text())["hooks"]
    found = json.loads(run_hook(hooks["get-hooks"]))
    assert found["config"]["sdk-managed-connection-enabled"] is True
    assert json.loads(run_hook(hooks["get-manifest"])) == manifest()
    bounded = run_hook(
        hooks["get-manifest"], "--protocol=message-boundaries", "--boundary=-=-bound-=-"
    )
    assert json.loads(bounded.split("-=-bound-=-")[1]) == manifest()


def printed(*options: str) -> dict[str, Any]:
    ran = CliRunner().invoke(main, ["manifest", "--json", *options])
    assert ran.exit_code == 0, ran.output
    found: dict[str, Any] = json.loads(ran.output)
    return found


@pytest.mark.parametrize(
    "url",
    [
        "https://ops.example.com/opswatch",
        "https://ops.example.com/opswatch/",
        "https://ops.example.com/opswatch/slack/events",
    ],
)
def test_http_mode_uses_one_url(url: str) -> None:
    made = printed("--mode", "http", "--url", url)
    events = "https://ops.example.com/opswatch/slack/events"
    assert {command["url"] for command in made["features"]["slash_commands"]} == {events}
    settings = made["settings"]
    assert settings["socket_mode_enabled"] is False
    assert settings["event_subscriptions"]["request_url"] == events
    assert settings["interactivity"] == {
        "is_enabled": True,
        "request_url": events,
        "message_menu_options_url": events,
    }


def test_url_alone_means_http_mode() -> None:
    assert printed("--url", "https://a.example") == printed(
        "--mode", "http", "--url", "https://a.example"
    )


def test_org_flag_enables_org_deploy() -> None:
    made = printed("--org")
    assert made["settings"].pop("org_deploy_enabled") is True
    usual = manifest()
    assert usual["settings"].pop("org_deploy_enabled") is False
    assert made == usual


def test_yaml_and_json_agree() -> None:
    options = ["--mode", "http", "--url", "https://ops.example.com", "--org"]
    shown = CliRunner().invoke(main, ["manifest", *options]).output
    assert yaml.safe_load(shown) == printed(*options)


@pytest.mark.parametrize(
    "options",
    [
        ["--mode", "http"],
        ["--mode", "socket", "--url", "https://ops.example.com"],
        *(
            ["--mode", "http", "--url", url]
            for url in (
                "http://ops.example.com",
                "ops.example.com",
                "https://",
                "https://u:p@ops.example.com",
                "https://ops.example.com?x=1",
                "https://ops.example.com/#top",
                "https://ops.example.com:99999",
                "https://[::1",
                "https://ops.example.com/\u202e",
            )
        ),
    ],
    ids=" ".join,
)
def test_wrong_url_is_refused(options: list[str]) -> None:
    ran = CliRunner().invoke(main, ["manifest", *options])
    assert ran.exit_code == 2
    assert "https://ops.example.com" in ran.output or "calls no URL" in ran.output
