"""Reads `bot.toml` and the environment into Settings, or reports all their problems together.

`settings` and `tables` declare what can be configured, `fields` how values are written, and
`accounts` and `targets` pass each entry to its kind. `reading` reads everything, `problems` and
`consistency` describe what is wrong, and `tokens` reads Slack's tokens.
"""

from bot.config.reading import parse_settings, read_database_location, read_settings
from bot.config.settings import Settings
from bot.config.tables import (
    TABLES,
    AccessSettings,
    AlertSettings,
    ButtonSettings,
    ChannelSettings,
    DigestSettings,
    HealthSettings,
    LimitSettings,
    LoggingSettings,
    MuteSettings,
    RetentionSettings,
    SlackSettings,
)
from bot.config.tokens import SlackTokens, has_bot_token, slack_tokens

__all__ = [
    "TABLES",
    "AccessSettings",
    "AlertSettings",
    "ButtonSettings",
    "ChannelSettings",
    "DigestSettings",
    "HealthSettings",
    "LimitSettings",
    "LoggingSettings",
    "MuteSettings",
    "RetentionSettings",
    "Settings",
    "SlackSettings",
    "SlackTokens",
    "has_bot_token",
    "parse_settings",
    "read_database_location",
    "read_settings",
    "slack_tokens",
]
