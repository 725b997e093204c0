"""The whole configuration, validated."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from pydantic import Field, PrivateAttr

from bot.config.fields import ChannelName, Zone
from bot.config.on_call import OnCallName, OnCallSettings
from bot.config.tables import (
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
from bot.notifications.settings import TargetSettings
from bot.questions.question import AccountDirectory
from providers.http.network import Network
from providers.provider import Capability
from providers.redaction import Secret
from providers.registry import kinds_with
from providers.settings import AccountSettings, DatabaseLocation, Table


class Settings(Table):
    """The whole configuration, validated."""

    timezone: Zone = ZoneInfo("UTC")
    """Time zone of schedules, and of days in a terminal."""
    database: DatabaseLocation
    """A SQLite file next to `bot.toml`, or `env:DATABASE_URL` with the URL of a PostgreSQL database.
    """
    slack: SlackSettings = SlackSettings.defaults()
    access: AccessSettings = AccessSettings.defaults()
    health: HealthSettings | None = None
    limits: LimitSettings = LimitSettings.defaults()
    logging: LoggingSettings = LoggingSettings.defaults()
    retention: RetentionSettings = RetentionSettings.defaults()
    providers: dict[str, AccountSettings] = Field(default_factory=dict)
    digest: tuple[DigestSettings, ...] = ()
    alert: tuple[AlertSettings, ...] = ()
    mute: tuple[MuteSettings, ...] = ()
    targets: dict[str, TargetSettings] = Field(default_factory=dict)
    on_call: dict[OnCallName, OnCallSettings] = Field(default_factory=dict)
    channels: dict[ChannelName, ChannelSettings] = Field(default_factory=dict)
    button: tuple[ButtonSettings, ...] = ()

    _network: Network = PrivateAttr(default_factory=Network)

    @property
    def network(self) -> Network:
        """Proxies and certificates, from the environment."""
        return self._network

    def with_network(self, network: Network) -> Settings:
        """The settings with the network of the environment."""
        self._network = network
        return self

    @property
    def directory(self) -> AccountDirectory:
        """The names that people may type."""
        kinds = {name: account.kind for name, account in self.providers.items()}
        with_logs = kinds_with(Capability.LOGS)
        logs = {
            name: account.log_ids()
            for name, account in self.providers.items()
            if account.kind in with_logs
        }
        return AccountDirectory(kinds, logs)

    def secrets(self) -> list[Secret]:
        """Every secret of every account and target, which are removed from everything that is
        shown.
        """
        found = self.network.secrets()
        if isinstance(self.database, Secret):
            found.append(self.database)
        for account in self.providers.values():
            found += account.secrets()
        for target in self.targets.values():
            found += target.secrets()
        return found
