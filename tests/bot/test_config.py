"""The configuration: the example is valid, and all problems are reported at once, by key, without a
secret.
"""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.config import parse_settings, read_settings, slack_tokens
from bot.errors import ConfigError
from providers.rapid7.settings import Rapid7Settings
from tests.conftest import ROOT

EXAMPLE = (ROOT / "bot.example.toml").read_text("utf-8")
VARIABLES = {*re.findall(r'"env:([A-Z0-9_]+)"', EXAMPLE), "SMTP_USERNAME"}
ENVIRON = {name: f"value-of-{name}" for name in VARIABLES}
URL = "https://x.example.com"
REFERENCE = "env:DW_PASSWORD"
AKAMAI_KEYS = {
    "client_token": REFERENCE,
    "client_secret": REFERENCE,
    "access_token": REFERENCE,
    "account_ids": ["1-123A"],
}
GOOD: dict[str, Any] = {
    "providers": {"r": {"kind": "rapid7", "region": "eu", "api_key": "env:RAPID7_API_KEY"}}
}


def problems(table: dict[str, Any], folder: Path = ROOT) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse_settings(table, folder=folder, environ=ENVIRON)
    return [str(problem) for problem in caught.value.problems]


def provider(**changes: Any) -> dict[str, Any]:
    return {"providers": {"r": {**GOOD["providers"]["r"], **changes}}}


def test_example_configuration_is_valid() -> None:
    settings = read_settings(ROOT / "bot.example.toml", environ=ENVIRON)
    assert set(settings.providers) >= {"rapid7-eu", "edge", "iot"}
    rapid7 = settings.providers["rapid7-eu"]
    assert isinstance(rapid7, Rapid7Settings)
    assert rapid7.monthly_quota == 150_000_000_000


def test_everything_commented_out_in_the_example_works_too(tmp_path: Path) -> None:
    shift = "2026-11-02T09:00,2026-11-09T09:00,U0ADA"
    (tmp_path / "primary.csv").write_text(f"start,end,person\n{shift}\n")
    text = (ROOT / "bot.example.toml").read_text()
    lines = [line.removeprefix("# ") if line.startswith("# ") and ("=" in line or line.startswith("# [")) and "edgerc" not in line and "section" not in line and "base_url" not in line and "bot check" not in line and "env:NAME" not in line else line for line in text.splitlines()]  # fmt: skip
    settings = parse_settings(tomllib.loads("\n".join(lines)), folder=tmp_path, environ=ENVIRON)
    assert settings.health
    assert settings.digest[0].name == "weekday-usage"
    assert settings.alert[0].above == 5_000_000_000
    assert set(settings.targets) == {"pagerduty", "opsgenie", "hook", "mail"}
    assert len(settings.on_call["primary"].schedule.shifts) == 1


def test_defaults() -> None:
    settings = parse_settings(GOOD, folder=Path("/etc/opswatch"), environ=ENVIRON)
    assert settings.database == Path("/etc/opswatch/bot.sqlite")
    allowed = [settings.access.allowed(name) for name in ("usage", "apiaudit", "logs")]
    assert allowed == [("*",), (), ()]
    assert (settings.limits.upload_plain, settings.limits.upload_total) == (
        1_000_000,
        1_000_000_000,
    )
    assert str(settings.timezone) == "UTC"


def test_ports_are_for_this_machine_alone_unless_configured() -> None:
    table = {**GOOD, "slack": {"mode": "http"}, "health": {"port": 8080}}
    settings = parse_settings(table, folder=Path("/"), environ=ENVIRON)
    assert settings.health
    assert (settings.slack.host, settings.health.host) == ("127.0.0.1", "127.0.0.1")


@pytest.mark.parametrize(
    ("given", "host"),
    [
        ("0.0.0.0", "0.0.0.0"),
        ("::", "::"),
        (" ::1 ", "::1"),
        ("LocalHost", "localhost"),
        ("bot.example.com", "bot.example.com"),
    ],
)
def test_host_may_be_address_or_name(given: str, host: str) -> None:
    table = {**GOOD, "slack": {"host": given}, "health": {"port": 8080, "host": given}}
    settings = parse_settings(table, folder=Path("/"), environ=ENVIRON)
    assert settings.health
    assert (settings.slack.host, settings.health.host) == (host, host)


@pytest.mark.parametrize(
    "given",
    [
        "",
        "300.1.1.1",
        "127.0.0",
        "http://127.0.0.1",
        "127.0.0.1:3000",
        "a b",
        "-x",
        127,
        True,
        "x" * 300,
    ],
)
def test_invalid_host_is_refused(given: object) -> None:
    reported = problems({**GOOD, "slack": {"host": given}, "health": {"port": 1, "host": given}})
    assert [line.split(" ")[0] for line in reported] == ["slack.host", "health.host"]
    assert all('"0.0.0.0" (every network)' in line for line in reported)


def test_all_problems_are_reported_together() -> None:
    table = {
        "timezone": "Mars/Olympus",
        "colour": "red",
        "slack": {"mode": "pigeon"},
        "limits": {"upload_plain": "5 XB"},
        "providers": {
            "r": {
                "kind": "rapid7",
                "region": "xx",
                "api_key": "a-written-out-secret",
                "montly_quota": "1 GB",
            },
            "i": {
                "kind": "devicewise",
                "base_url": "http://example.com",
                "username": "env:NOBODY",
                "password": "env:NOTHING",
            },
            "z": {"kind": "zebra"},
        },
        "alert": [
            {
                "name": "spike",
                "ask": "/usage today",
                "value": "bytes",
                "above": "5 GB",
                "for": "30x",
                "channel": "#ops",
            }
        ],
    }
    reported = problems(table)
    for key in ("timezone", "colour", "slack.mode", "limits.upload_plain", "providers.r.region", "providers.r.api_key", "providers.r.montly_quota", "providers.i.base_url", "providers.i.username", "providers.i.password", "providers.z", "alert.spike.for"):  # fmt: skip
        assert any(line.startswith(key) for line in reported), key
    assert "did you mean monthly_quota?" in " ".join(reported)
    assert "a-written-out-secret" not in " ".join(reported)


CASES = [
    (provider(api_key="plain"), 'a reference such as "env:NAME"'),
    (provider(api_key="env:MISSING"), "providers.r.api_key: the environment has no MISSING; export it"),
    (provider(api_key="file:no-such-file"), "cannot be read"),
    (provider(api_key=7), "a reference"),
    (provider(region=None, base_url="ftp://x"), "an address"),
    (provider(base_url="http://example.com"), "https://"),
    (provider(base_url="https://user:pw@example.com"), "an address"),
    (provider(monthly_quota="lots"), "a size"),
    (provider(monthly_quota=True), "a size"),
    (provider(monthly_quota=150), 'monthly_quota = 150: must be a size with its unit, such as "150 GB"'),
    (provider(monthly_quota="150"), "a size with its unit"),
    ({**GOOD, "limits": {"upload_total": 1}}, 'limits.upload_total = 1: must be a size with its unit, such as "1 GB"'),
    (provider(logs={"web": "../etc"}), "letters, digits and dashes"),
    ({"providers": {"r": {"kind": "rapid7", "api_key": "env:RAPID7_API_KEY"}}}, "a region"),
    ({"providers": {"help": GOOD["providers"]["r"]}}, "must not be a reserved word"),
    ({"providers": {"a b": GOOD["providers"]["r"]}}, "must not be a reserved word"),
    ({**GOOD, "access": {"logs": ["ada"]}}, "Slack IDs"),
    ({**GOOD, "digest": [{"name": "d", "ask": "/usage nonsense", "at": "0 9 * * *", "channel": "#ops"}]}, "not a window"),
    ({**GOOD, "digest": [{"name": "d", "ask": "/usage", "at": "every day", "channel": "#ops"}]}, "five cron fields"),
    ({**GOOD, "digest": [{"name": "d", "ask": "/usage", "at": "0 9 * * *", "channel": "#ops"}] * 2}, "used twice"),
    ({**GOOD, "alert": [{"name": "a", "ask": "/usage", "value": "byts", "above": 1, "channel": "#ops"}]}, "one of bytes"),
    ({**GOOD, "alert": [{"name": "a", "ask": "/usage", "value": "bytes", "channel": "#ops"}]}, "either above or below"),
    ({**GOOD, "alert": [{"name": "a", "ask": "/usage", "value": "bytes", "above": 1, "recover": 2, "channel": "#ops"}]}, "at or below the threshold"),
    ({**GOOD, "digest": [{"name": "d", "ask": "/usage", "at": "0 9 * * *", "channel": "Ops Team"}]}, "digest.d.channel = 'Ops Team': must be a channel such as"),
    ({**GOOD, "slack": {"ops_channel": "@ada"}}, "slack.ops_channel = '@ada': must be a channel such as"),
    ({**GOOD, "slack": {"ops_channel": 7}}, "slack.ops_channel = 7: must be a channel such as"),
    ({**GOOD, "slack": {"ops_channel": ""}}, "a channel such as"),
    ({**GOOD, "mute": [{"name": "m", "alerts": ["none"], "start": "2026-12-01T20:00", "end": "2026-12-01T23:00"}]}, "the name of an alert"),
    ({**GOOD, "mute": [{"name": "m", "alerts": [], "start": "2026-12-01T20:00"}]}, "either start and end"),
    ({"providers": {"e": {"kind": "akamai", "account_ids": ["1"], "host": "h"}}}, "either edgerc and section"),
    ({"providers": {"e": {"kind": "akamai", "account_ids": [], "edgerc": "nowhere"}}}, "nowhere does not exist"),
    ({"providers": {"i": {"kind": "devicewise", "base_url": "https://x.example"}}}, "username and password"),
    ({"providers": 3}, "providers"),
    ({**GOOD, "access": {"usage": "everyone"}}, "access.usage = 'everyone': must be a list, such as"),
    ({**GOOD, "health": {"port": "eighty"}}, "health.port = 'eighty': must be a whole number"),
    ({**GOOD, "slack": "socket"}, "slack = 'socket': must be a table of its own"),
    ({**GOOD, "digest": "weekly"}, "digest: each is an entry of its own, [[digest]]"),
    ({**GOOD, "mute": [{"name": "m", "alerts": "a", "start": "2026-12-01T20:00"}]}, "mute.m.alerts = 'a': must be a list, such as"),
    (provider(region="eux"), "providers.r.region = 'eux': must be one of 'us', 'us2'"),
    (provider(logs=7), "providers.r.logs = 7: must be a table of its own"),
]  # fmt: skip


@pytest.mark.parametrize(("table", "says"), CASES, ids=[says for _, says in CASES])
def test_each_problem_names_valid_values(table: dict[str, Any], says: str) -> None:
    assert any(says in line for line in problems(table)), problems(table)


@pytest.mark.parametrize(
    ("value", "typed", "number"),
    [
        ("failure_percent", "30 %", 30.0),
        ("failure_percent", "2.5%", 2.5),
        ("failure_percent", "12 percent", 12.0),
        ("duration_p95_ms", "2s", 2000.0),
        ("duration_p95_ms", "500ms", 500.0),
        ("failure_percent", "-30 %", -30.0),
        ("failure_percent", "+ 30 %", 30.0),
        ("failure_percent", "--30 %", None),
        ("calls", "30 %", None),
        ("failure_percent", "2s", None),
        ("duration_p95_ms", "1,500s", 1_500_000.0),
        ("duration_p95_ms", "soon", None),
    ],
)
def test_threshold_has_the_unit_of_its_value(value: str, typed: str, number: float | None) -> None:
    alert = {"name": "a", "ask": "/apiaudit", "value": value, "above": typed, "channel": "#ops"}
    edge = {"kind": "akamai", "host": "x.luna.akamaiapis.net", **AKAMAI_KEYS}
    table = {"providers": {"edge": edge}, "alert": [alert]}
    if number is None:
        assert any("alert.a" in problem for problem in problems(table))
        return
    assert parse_settings(table, folder=ROOT, environ=ENVIRON).alert[0].above == number


def test_secret_may_be_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from-a-file\n")
    settings = parse_settings(provider(api_key="file:key"), folder=tmp_path, environ={})
    rapid7 = settings.providers["r"]
    assert isinstance(rapid7, Rapid7Settings)
    assert rapid7.api_key.open() == "from-a-file"
    assert "from-a-file" not in repr(settings)


@pytest.mark.parametrize(
    ("text", "says"), [("a = = b", "not TOML"), ("api_key = 's3cret' x", "not TOML")]
)
def test_invalid_toml_is_reported_without_quoting(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "bot.toml").write_text(text)
    with pytest.raises(ConfigError, match=says) as caught:
        read_settings(tmp_path / "bot.toml", environ={})
    assert "s3cret" not in str(caught.value)


def test_missing_file_points_to_init(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such file") as caught:
        read_settings(tmp_path / "bot.toml", environ={})
    assert "python -m bot init" in caught.value.hint


@pytest.mark.parametrize(
    ("mode", "missing"), [("socket", "SLACK_APP_TOKEN"), ("http", "SLACK_SIGNING_SECRET")]
)
def test_missing_tokens_are_named(mode: str, missing: str) -> None:
    with pytest.raises(ConfigError, match=missing):
        slack_tokens(mode, {"SLACK_BOT_TOKEN": "xoxb-1"})


def test_slack_is_not_spoken_to_in_the_clear() -> None:
    with pytest.raises(ConfigError, match="https"):
        slack_tokens(
            "neither", {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_API_URL": "http://example.com/api/"}
        )


def test_wrong_table_hides_no_other_problem() -> None:
    alert = {"name": "a", "ask": "/usage r today", "value": "byts", "above": 1, "channel": "#ops"}
    table = {
        "slack": {"mode": "pigeon"},
        "providers": {"r": {"kind": "rapid7", "region": "xx", "api_key": "env:NOPE"}},
        "digest": [
            {"name": "one", "ask": "/usage r nonsense", "at": "0 9 * * *", "channel": "#ops"},
            {"name": "two", "ask": "/usage r", "at": "daily", "channel": "#ops"},
        ],
        "alert": [alert, {**alert, "name": "b", "value": "bytes", "for": "x"}],
        "mute": [
            {
                "name": "m",
                "alerts": ["b", "c"],
                "start": "2026-12-01T20:00",
                "end": "2026-12-01T23:00",
            }
        ],
    }
    reported = [line.split(" ")[0].rstrip(":") for line in problems(table)]
    keys = [
        "slack.mode",
        "providers.r.region",
        "providers.r.api_key",
        "digest.two.at",
        "alert.b.for",
    ]
    assert reported == [*keys, "digest.one.ask", "alert.a.value", "mute.m.alerts"]


def test_account_of_unknown_kind_causes_no_other_problem() -> None:
    digest = {"name": "d", "ask": "/usage r", "at": "0 9 * * *", "channel": "#ops"}
    [problem] = problems({"providers": {"r": {"kind": "zebra"}}, "digest": [digest]})
    assert problem.startswith("providers.r.kind = 'zebra': must be one of 'rapid7', 'akamai'")


@pytest.mark.parametrize(
    ("table", "reported"),
    [
        ({"access": {"usage": ["everyone"], "logs": ["ada"]}}, ["access.usage.0 = 'everyone': must be Slack IDs", "access.logs.0 = 'ada': must be Slack IDs"]),
        ({"access": {"usage": ["*", ""]}}, ["access.usage.1 = '': must be Slack IDs"]),
        ({"health": {"port": 99999}, "slack": {"port": -1}}, ["slack.port = -1: must be a number of at least 0", "health.port = 99999: must be a number of at most 65535"]),
        ({"digest": [{"name": "", "ask": "/usage", "at": "0 9 * * *", "channel": "#ops"}]}, ["digest.0.name = '': must be a text that is not empty"]),
        ({"digest": [{"name": "d" * 501, "ask": "/usage", "at": "0 9 * * *", "channel": "#ops"}]}, ["digest.ddd"]),
        ({"alert": [{"name": "a", "ask": "/usage", "value": "bytes", "above": 1, "every": "1s", "channel": "#ops"}]}, ["alert.a.every = '1s': must be a duration of at least 5s"]),
        (provider(logs={"web": "../etc"}), ["providers.r.logs.web = '../etc': must be the ID of a log"]),
        ({"providers": {"i": {"kind": "devicewise", "base_url": "https://x.example", "username": "env:NO", "password": "env:NO"}}}, ["providers.i.username: the environment", "providers.i.password: the environment"]),
    ],
)  # fmt: skip
def test_problem_has_its_key_and_value_in_our_words(
    table: dict[str, Any], reported: list[str]
) -> None:
    found = problems({**GOOD, **table})
    assert len(found) == len(reported), found
    for line, beginning in zip(found, reported, strict=True):
        assert line.startswith(beginning)
        assert "String should" not in line


def test_all_network_variables_are_reported_together() -> None:
    environ = {
        **ENVIRON,
        "HTTPS_PROXY": "junk",
        "no_proxy": "[::1",
        "SSL_CERT_FILE": "/no/such/file",
    }
    with pytest.raises(ConfigError) as refused:
        parse_settings({**GOOD, "timezone": "Mars"}, folder=ROOT, environ=environ)
    assert {problem.key for problem in refused.value.problems} == {
        "HTTPS_PROXY",
        "no_proxy",
        "SSL_CERT_FILE",
        "timezone",
    }


VALUES = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=8), lambda v: st.lists(v, max_size=3) | st.dictionaries(st.sampled_from(["kind", "name", "ask", "r", "logs", "at"]), v, max_size=3), max_leaves=8)  # fmt: skip


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "timezone",
                "database",
                "slack",
                "access",
                "limits",
                "providers",
                "digest",
                "alert",
                "mute",
                "x",
            ]
        ),
        VALUES,
        max_size=4,
    )
)
def test_any_table_is_settings_or_a_list_of_problems(table: dict[str, Any]) -> None:
    try:
        parse_settings(table, folder=ROOT, environ={})
    except ConfigError as error:
        assert error.problems


@pytest.mark.parametrize(
    "content",
    [
        "key-1234\n",
        "key-1234\r\n",
        "\ufeffkey-1234",
        "  key-1234  ",
        '"key-1234"',
        "'key-1234'\n\n",
    ],
    ids=["newline", "crlf", "byte order mark", "blanks", "quotes", "quotes and newlines"],
)
@pytest.mark.parametrize("scheme", ["env", "file"])
def test_secret_is_cleaned_of_editor_marks(content: str, scheme: str, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(content.encode())
    table = {
        "providers": {
            "r": {
                "kind": "rapid7",
                "region": "eu",
                "api_key": "env:KEY" if scheme == "env" else "file:key",
            }
        }
    }
    settings = parse_settings(table, folder=tmp_path, environ={"KEY": content})
    assert [secret.open() for secret in settings.secrets()] == ["key-1234"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("key-1234\nkey-5678", "more than one line"),
        ("key\u00a01234", "characters that no key"),
        ("key\x071234", "characters that no key"),
        ("schlüssel", "characters that no key"),
    ],
)
@pytest.mark.parametrize("scheme", ["env", "file"])
def test_secret_that_cannot_be_one_is_refused_by_name(
    content: str, says: str, scheme: str, tmp_path: Path
) -> None:
    (tmp_path / "key").write_text(content, "utf-8")
    reference = "env:KEY" if scheme == "env" else "file:key"
    table = {"providers": {"r": {"kind": "rapid7", "region": "eu", "api_key": reference}}}
    with pytest.raises(ConfigError) as refused:
        parse_settings(table, folder=tmp_path, environ={"KEY": content})
    assert says in str(refused.value)
    assert ("KEY" if scheme == "env" else "file key") in str(refused.value)
    assert "1234" not in str(refused.value)


@pytest.mark.parametrize(
    ("environ", "key", "says"),
    [
        ({"SLACK_BOT_TOKEN": "xapp-1-hunter2"}, "SLACK_BOT_TOKEN", "xapp-… is SLACK_APP_TOKEN"),
        ({"SLACK_APP_TOKEN": "xoxb-hunter2"}, "SLACK_APP_TOKEN", "xoxb-… is SLACK_BOT_TOKEN"),
        ({"SLACK_BOT_TOKEN": "xoxp-hunter2"}, "SLACK_BOT_TOKEN", "a person's token"),
        ({"SLACK_BOT_TOKEN": "xoxb-hunter2\nxoxb-other"}, "SLACK_BOT_TOKEN", "more than one line"),
        ({"SLACK_BOT_TOKEN": "xoxb-sécret"}, "SLACK_BOT_TOKEN", "characters that no key"),
        ({"SLACK_BOT_TOKEN": "  "}, "SLACK_BOT_TOKEN", "missing"),
        ({"SLACK_API_URL": "slack.com/api"}, "SLACK_API_URL", "an address such as"),
        ({"SLACK_API_URL": "http://slack.com/api/"}, "SLACK_API_URL", "https://"),
        ({"SLACK_API_URL": "https://slack.com:port/"}, "SLACK_API_URL", "an address such as"),
    ],
)
def test_unusable_token_is_refused_by_name(environ: dict[str, str], key: str, says: str) -> None:
    with pytest.raises(ConfigError) as refused:
        slack_tokens(
            "socket", {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1", **environ}
        )
    assert key in {problem.key for problem in refused.value.problems}
    assert says in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_tokens_are_cleaned_of_shell_quotes() -> None:
    tokens = slack_tokens(
        "socket", {"SLACK_BOT_TOKEN": "xoxb-1\r\n", "SLACK_APP_TOKEN": '\ufeff"xapp-1" '}
    )
    assert (tokens.bot.open(), tokens.app.open()) == ("xoxb-1", "xapp-1")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\xff\xfet\x00i\x00", "not UTF-8"),
        (b"timezone = 'UTC'\x00", "not TOML"),
        (b"timezone = 'UTC'\ntimezone = 'UTC'", "not TOML"),
        (b"a = " + b"[" * 5000, "not TOML"),
        (b"#" * (4 * 1024 * 1024 + 1), "a file below"),
        (None, "a file, such as"),
    ],
    ids=["utf-16", "nul", "a key twice", "nested", "huge", "a folder"],
)
def test_unreadable_configuration_gives_one_sentence(
    content: bytes | None, says: str, tmp_path: Path
) -> None:
    path = tmp_path / "bot.toml"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    with pytest.raises(ConfigError) as refused:
        read_settings(path, environ={})
    assert len(refused.value.problems) == 1
    assert says in str(refused.value)


def test_configuration_with_byte_order_mark_and_crlf_is_read(tmp_path: Path) -> None:
    (tmp_path / "bot.toml").write_bytes("\ufefftimezone = 'Europe/Dublin'\r\n".encode())
    assert str(read_settings(tmp_path / "bot.toml", environ={}).timezone) == "Europe/Dublin"


def test_pipe_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "bot.toml")
    with pytest.raises(ConfigError, match="a file, such as"):
        read_settings(tmp_path / "bot.toml", environ={})


CHANNELS = {
    "#ops": "#ops",
    "ops": "#ops",
    " #ops ": "#ops",
    "#Ops-Team_2": "#ops-team_2",
    "#küche": "#küche",
    "C0OPS": "C0OPS",
    "G012AB34": "G012AB34",
    "D0ADA": "D0ADA",
    "U012AB": "U012AB",
    "W012AB": "W012AB",
    "<#C0OPS|ops>": "C0OPS",
    "<#C0OPS>": "C0OPS",
}


@pytest.mark.parametrize(("written", "meant"), CHANNELS.items(), ids=CHANNELS)
def test_channel_is_a_name_or_an_id(tmp_path: Path, written: str, meant: str) -> None:
    digest = {"name": "d", "ask": "/usage", "at": "0 9 * * *", "channel": written}
    table = {**GOOD, "slack": {"ops_channel": written}, "digest": [digest]}
    settings = parse_settings(table, folder=tmp_path, environ={"RAPID7_API_KEY": "key"})
    assert settings.slack.ops_channel == settings.digest[0].channel == meant


@pytest.mark.parametrize(
    ("kind", "setting", "others"),
    [
        (
            "devicewise",
            "thing_key",
            {"base_url": URL, "app_token": REFERENCE, "app_id": REFERENCE},
        ),
        ("devicewise", "org", {"base_url": URL, "username": "ada", "password": REFERENCE}),
        ("devicewise", "username", {"base_url": URL, "password": REFERENCE}),
        ("devicewise", "base_url", {"username": "ada", "password": REFERENCE}),
        ("rapid7", "base_url", {"api_key": REFERENCE}),
        ("akamai", "host", AKAMAI_KEYS),
        ("akamai", "base_url", AKAMAI_KEYS),
        ("akamai", "account_switch_key", {**AKAMAI_KEYS, "host": "x.example.com"}),
    ],
)
@pytest.mark.parametrize("scheme", ["env", "file"])
def test_text_setting_may_be_a_reference(
    kind: str, setting: str, others: dict[str, Any], scheme: str, tmp_path: Path
) -> None:
    value = URL if setting == "base_url" else "referenced.example.com"
    (tmp_path / "value").write_text(f"{value}\n")
    reference = "env:VALUE" if scheme == "env" else "file:value"
    table = {"providers": {"a": {"kind": kind, **others, setting: reference}}}
    environ = {**ENVIRON, "VALUE": value}
    account = parse_settings(table, folder=tmp_path, environ=environ).providers["a"]
    assert getattr(account, setting) == value


@pytest.mark.parametrize("setting", ["thing_key", "org", "username"])
def test_reference_to_nothing_names_its_setting(setting: str) -> None:
    account = {"kind": "devicewise", "base_url": URL, "password": REFERENCE, setting: "env:GONE"}
    reported = problems({"providers": {"a": {"username": "ada", **account}}})
    assert [line.split(": ")[0] for line in reported] == [f"providers.a.{setting}"]


def test_unknown_access_key_is_a_problem() -> None:
    [reported] = problems({**GOOD, "access": {"usge": ["*"]}})
    assert reported == "access.usge: an unknown key; did you mean usage?"


def test_wrong_choice_shows_choices_and_value() -> None:
    table = {"providers": {"r": {**GOOD["providers"]["r"], "region": "emea"}}}
    [problem] = problems(table)
    assert problem.startswith(
        "providers.r.region = 'emea': must be one of 'us', 'us2', 'us3', 'eu'"
    )


def test_variable_may_name_a_file(tmp_path: Path) -> None:
    """As Slack's tokens may, so that systemd and containers can hand every secret over as a file."""
    secret = tmp_path / "rapid7-api-key"
    secret.write_text("from-a-file\n")
    table = provider(api_key="env:RAPID7_API_KEY")
    environ = {"RAPID7_API_KEY": f" file:{secret}\n"}
    settings = parse_settings(table, folder=tmp_path, environ=environ)
    assert [each.open() for each in settings.secrets()] == ["from-a-file"]
    with pytest.raises(ConfigError, match="the variable RAPID7_API_KEY needs a path"):
        parse_settings(table, folder=tmp_path, environ={"RAPID7_API_KEY": "file:"})
    secret.write_text("")
    with pytest.raises(ConfigError, match="is empty"):
        parse_settings(table, folder=tmp_path, environ=environ)
