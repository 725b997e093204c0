"""The Slack app manifest, generated from the commands and from the methods that the code calls.
`manifest.yml` is its output.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.questions.registry import COMMANDS

NAME = "Opswatch"
# Why each scope is asked for.
SCOPES = {
    "app_mentions:read": "a mention in the thread of an answer asks it again, changed (app_mention)",
    "channels:history": (
        "whether a digest or an alert is in its channel already, after a broken connection "
        "(conversations.history, conversations.replies)"
    ),
    "channels:read": (
        "the IDs of channels that bot.toml names, and who is in a channel (conversations.list, "
        "conversations.info, conversations.members)"
    ),
    "commands": "the slash commands",
    "chat:write": "answers in channels (chat.postMessage, chat.update, chat.delete, chat.postEphemeral, chat.*Stream)",
    "files:write": "tables and logs as files (files.getUploadURLExternal, files.completeUploadExternal)",
    "groups:history": "the same in private channels",
    "groups:read": "the same for private channels",
    "im:read": "whether a direct message is the asker's own (conversations.info)",
    "im:write": "files of private answers by direct message (conversations.open)",
    "usergroups:read": (
        "access rules that name user groups, and alerts that notify them (usergroups.users.list, "
        "usergroups.list)"
    ),
    "users:read": (
        "times in the asker's own zone, and people that alerts notify (users.info, users.list)"
    ),
}
# With Slack's agent surface, where people write to the bot in threads.
AGENT_SCOPES = {
    "assistant:write": "suggested prompts and the entry in Slack's top bar (assistant.threads.*)",
    "im:history": "what people write to the bot (message.im, conversations.replies)",
}
# With digests that are kept in canvases.
CANVAS_SCOPES = {
    "canvases:read": "whether the canvas of a digest is still there (canvases.sections.lookup)",
    "canvases:write": "digests that are kept in canvases (canvases.create, canvases.edit)",
}
EVENTS = ("app_home_opened", "app_mention")
AGENT_EVENTS = ("agent_session_stopped", "assistant_thread_started", "message.im")
# The step of the Workflow Builder.
ASK_STEP = "ask"
ASK_AGAIN = "ask_again"
ASK_OPSWATCH = "ask_opswatch"


def manifest(
    *,
    events_url: str = "",
    is_org_app: bool = False,
    is_agent: bool = False,
    has_step: bool = False,
    has_canvases: bool = False,
) -> dict[str, Any]:
    """The manifest in Slack's schema (version 2): for HTTP mode if Slack calls `events_url`, else
    for Socket Mode. With `is_org_app` it can be installed on a whole Enterprise Grid organisation.
    With `is_agent` people can also write to it, in the threads of Slack's agent surface, and
    with `has_step` workflows can ask questions. With `has_canvases` digests can be kept in canvases.
    """
    made = _manifest(is_org_app=is_org_app)
    if has_step:
        _add_step(made)
    if is_agent:
        _add_agent(made)
    if has_canvases:
        _add_scopes(made, CANVAS_SCOPES)
    if events_url:
        made["settings"]["socket_mode_enabled"] = False
        made["settings"]["event_subscriptions"]["request_url"] = events_url
        made["settings"]["interactivity"] |= {
            "request_url": events_url,
            "message_menu_options_url": events_url,
        }
        for command in made["features"]["slash_commands"]:
            command["url"] = events_url
    return made


def _manifest(*, is_org_app: bool) -> dict[str, Any]:
    return {
        "_metadata": {"major_version": 2, "minor_version": 1},
        "display_information": {
            "name": NAME,
            "description": "Answers operations questions: data usage, API audits and logs",
            "long_description": _long_description(),
            "background_color": "#1f3a4d",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": True,
            },
            "bot_user": {"display_name": NAME, "always_online": True},
            "shortcuts": [
                {
                    "name": "Ask again",
                    "type": "message",
                    "callback_id": ASK_AGAIN,
                    "description": "Ask what this message answers, changed",
                },
                {
                    "name": "Ask Opswatch",
                    "type": "global",
                    "callback_id": ASK_OPSWATCH,
                    "description": "Ask about usage, API calls or a log",
                },
            ],
            "slash_commands": [
                {
                    "command": f"/{command.name}",
                    "description": command.description,
                    "usage_hint": command.usage_hint,
                    "should_escape": False,
                }
                for command in COMMANDS.values()
            ],
        },
        "oauth_config": {"scopes": {"bot": sorted(SCOPES)}},
        "settings": {
            "event_subscriptions": {"bot_events": list(EVENTS)},
            "interactivity": {"is_enabled": True},
            "org_deploy_enabled": is_org_app,
            "socket_mode_enabled": True,
            "token_rotation_enabled": False,
        },
    }


def _add_agent(made: dict[str, Any]) -> None:
    """Adds what `features.assistant_view` needs ("Developing agents")."""
    features = made["features"]
    settings = made["settings"]
    features["assistant_view"] = {
        "assistant_description": made["display_information"]["description"]
    }
    features["app_home"]["messages_tab_read_only_enabled"] = False
    _add_scopes(made, AGENT_SCOPES)
    settings["event_subscriptions"]["bot_events"] = sorted({*EVENTS, *AGENT_EVENTS})


def _add_scopes(made: dict[str, Any], scopes: Mapping[str, str]) -> None:
    granted = made["oauth_config"]["scopes"]
    granted["bot"] = sorted({*granted["bot"], *scopes})


def _add_step(made: dict[str, Any]) -> None:
    """Adds the step *Ask Opswatch* of the Workflow Builder ("Custom steps"). Slack offers it only
    from an app that an organisation can install.
    """
    question = {
        "type": "string",
        "title": "Question",
        "description": "Such as: usage last 7 days",
    }
    channel = {
        "type": "slack#/types/channel_id",
        "title": "Channel",
        "description": "Where the answer is posted, and everybody has access to it",
    }
    made["functions"] = {
        ASK_STEP: {
            "title": "Ask Opswatch",
            "description": "Asks a question and posts the answer in a channel",
            "input_parameters": {
                "properties": {"question": question, "channel": channel},
                "required": ["question", "channel"],
            },
            "output_parameters": {"properties": {}, "required": []},
        }
    }
    made["settings"] |= {"function_runtime": "remote", "org_deploy_enabled": True}


def _long_description() -> str:
    return " ".join(
        [
            "Opswatch answers operations questions where you talk about them.",
            *(command.summary for command in COMMANDS.values()),
            "Answers appear in the channel where everybody has access, and are private elsewhere.",
        ]
    )


def manifest_yaml(made: dict[str, Any] | None = None) -> str:
    """A manifest as YAML; without an argument, the one in `manifest.yml`."""
    # The bot needs the scopes of this module at its start, but no YAML.
    import yaml

    head = "# Generated by `opswatch manifest > manifest.yml`; a test finds drift.\n"
    if made is not None:
        return str(yaml.safe_dump(made, sort_keys=False, allow_unicode=True, width=110))
    return head + manifest_yaml(manifest())
