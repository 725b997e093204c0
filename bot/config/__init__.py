"""`bot.toml` and the environment become Settings, or all their problems at once.

`settings` and `tables` say what there is, `fields` how it is written, `accounts` leaves each account
to its vendor, `reading` reads it all, `problems` and `consistency` say what is wrong, and `tokens`
reads Slack's.
"""

from bot.config.reading import parse_settings, read_database_path, read_settings
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
from bot.config.tokens import SlackTokens, slack_tokens

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
    "parse_settings",
    "read_database_path",
    "read_settings",
    "slack_tokens",
]
