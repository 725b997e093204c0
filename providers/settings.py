"""The settings of an account: fields whose types read and check what `bot.toml` contains.

Secrets are references (`env:NAME`, `file:PATH`) and are read here once. A secret written out in the
file is refused, and its value is never repeated. Relative paths are relative to the folder of
`bot.toml`. Validators raise ValueError with a message that says what would be right.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationInfo,
)

from providers.amounts import read_size
from providers.http.network import is_host_name, is_loopback
from providers.redaction import Secret

# Pydantic has no plug-ins here, and would search all installed packages for some.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
# Keys whose values are never shown, wherever in the file they are written.
SECRET_KEYS = frozenset(
    {"api_key", "password", "app_token", "app_id", "client_secret", "client_token", "access_token"}
)
# A database with one of these is on a server.
SERVER_SCHEMES = ("postgresql://", "postgres://")
MOST_TEXT = 500
# A smaller number of bytes needs a unit.
LEAST_BARE_SIZE = 10_000
# Keys and tokens have a few hundred bytes; a device such as /dev/zero never ends.
MOST_SECRET_BYTES = 64 * 1024


class Table(BaseModel):
    """A table of `bot.toml`: unknown keys are problems, and error messages never repeat values."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        arbitrary_types_allowed=True,
        hide_input_in_errors=True,
        # A table that another one holds is part of its schema, and needs none of its own.
        defer_build=True,
    )

    @classmethod
    def defaults(cls) -> Self:
        """The table with its defaults, which are valid: no schema is built to check them."""
        return cls.model_construct()


class AccountSettings(Table):
    """The settings that every account has. A vendor's settings are a subclass."""

    kind: str

    @property
    def address(self) -> str:
        """The URL or host that requests go to."""
        raise NotImplementedError

    def secrets(self) -> list[Secret]:
        """The secrets of the account, which are removed from everything that is shown."""
        values = (getattr(self, name) for name in type(self).model_fields)
        return [value for value in values if isinstance(value, Secret)]

    def log_ids(self) -> Mapping[str, str]:
        """The ids of the logs that the configuration names, by name."""
        return {}

    def usage_quota(self) -> int | None:
        """The bytes that the account may send in a month, if known."""
        return None


def _size(value: Any) -> int:
    size = (
        read_size(str(value))
        if isinstance(value, str | int) and not isinstance(value, bool)
        else None
    )
    if size is None:
        raise ValueError('a size such as "5 GB" or "750 MB"')
    # Nobody means 150 bytes by `150`. Zero needs no unit.
    if 0 < size < LEAST_BARE_SIZE and str(value).strip()[-1:].isdigit():
        raise ValueError(f'a size with its unit, such as "{value} GB"; without one it is in bytes')
    return size


def read_reference(value: Any, info: ValidationInfo) -> Secret:
    """The value that a reference points to."""
    if isinstance(value, Secret):
        return value
    scheme, _, rest = value.partition(":") if isinstance(value, str) else ("", "", "")
    if scheme == "env" and rest:
        found = _from_context(info, "environ").get(rest, "")
        # An empty variable is usually a mistake of a deployment.
        if not found.strip():
            raise ValueError(
                f"the environment has no {rest}; export it, or remove what refers to it"
            )
        # As with Slack's tokens: systemd and containers hand secrets over as files.
        if path := file_in_variable(rest, found):
            return _read_file_reference(path, info)
        return Secret(clean_secret(found, f"the variable {rest}"))
    if scheme == "file" and rest:
        return _read_file_reference(rest, info)
    raise ValueError(
        'a reference such as "env:NAME" or "file:PATH"; secrets are not written out here'
    )


def _read_file_reference(path: str, info: ValidationInfo) -> Secret:
    found = read_secret_file(_relative_to_config(path, info), path)
    if not found.strip():
        raise ValueError(f"the file {path} is empty")
    return Secret(clean_secret(found, f"the file {path}"))


def file_in_variable(name: str, value: str) -> str:
    """The path that a variable names by `file:PATH`; empty where it holds the secret itself."""
    scheme, colon, path = value.strip().partition(":")
    if scheme != "file" or not colon:
        return ""
    if not path.strip():
        raise ValueError(f'the variable {name} needs a path, such as "file:/run/secrets/key"')
    return path.strip()


def read_secret_file(path: Path, shown: str) -> str:
    """The text of a file that holds a secret. `shown` is the path as it was written.

    A secret has a few bytes, so a larger file, or a device that never ends, is refused.
    """
    try:
        if path.exists() and (not path.is_file() or path.stat().st_size > MOST_SECRET_BYTES):
            raise ValueError(f"the file {shown} is not a file with one line")
        # Without the byte order mark that some editors write.
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        # The cause is dropped, as it may quote the content.
        raise ValueError(f"the file {shown} cannot be read") from None


def clean_secret(text: str, source: str) -> str:
    """A secret without what editors and shells add: a byte order mark, blanks, line ends, one pair
    of quotes. Raises ValueError where the rest cannot be one secret; the message names the source,
    never the value.
    """
    found = text.removeprefix("\ufeff").strip()
    if len(found) > 2 and found[0] == found[-1] and found[0] in "'\"":
        found = found[1:-1].strip()
    if len(found.splitlines()) > 1:
        raise ValueError(f"{source} holds more than one line; keep the secret alone in it")
    if not found.isascii() or not found.isprintable():
        raise ValueError(f"{source} holds characters that no key or token has; copy it again")
    return found


def _text_or_reference(value: Any, info: ValidationInfo) -> str:
    """A text that is written in the file, or a reference."""
    if isinstance(value, str) and value.startswith(("env:", "file:")):
        return read_reference(value, info).open()
    if not isinstance(value, str) or not value.strip():
        raise ValueError('a text, or a reference such as "env:NAME"')
    if len(value) > MOST_TEXT:
        raise ValueError(f"a text of at most {MOST_TEXT} characters")
    return value


def _readable_file(value: Any, info: ValidationInfo) -> Path:
    path = _path(value, info)
    if not path.is_file():
        what = "is not a file" if path.exists() else "does not exist"
        raise ValueError(f"the file {path} {what}; a relative path is relative to bot.toml")
    return path


def _path(value: Any, info: ValidationInfo) -> Path:
    if isinstance(value, str) and value.startswith(("env:", "file:")):
        value = read_reference(value, info).open()
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a path; relative ones are next to bot.toml")
    return _relative_to_config(value, info)


def _database(value: Any, info: ValidationInfo) -> Path | Secret:
    """A file, or the URL of a server, which may hold a password and so is a reference."""
    is_reference = isinstance(value, str) and value.startswith(("env:", "file:"))
    given = read_reference(value, info) if is_reference else None
    if given and given.open().startswith(SERVER_SCHEMES):
        return given
    if isinstance(value, str) and value.startswith(SERVER_SCHEMES):
        raise ValueError('a path, or "env:DATABASE_URL" where it is a server; URLs hold passwords')
    return _path(value, info)


def _relative_to_config(value: str, info: ValidationInfo) -> Path:
    return Path(_from_context(info, "folder")) / Path(value).expanduser()


def _from_context(info: ValidationInfo, name: str) -> Any:
    assert info.context is not None
    return info.context[name]


def _url(value: Any, info: ValidationInfo) -> str:
    if isinstance(value, str) and value.startswith(("env:", "file:")):
        value = read_reference(value, info).open()
    parts = urlsplit(value) if isinstance(value, str) else urlsplit("")
    try:
        # `port` raises for what is no port.
        whole = is_host_name(parts.hostname or "") and (parts.port or 1) > 0
    except ValueError:
        whole = False
    if (
        not whole
        # A password would be shown with the address.
        or parts.username
        or parts.query
        or parts.fragment
        or parts.scheme not in ("https", "http")
    ):
        raise ValueError('an address such as "https://api.example.com"')
    # Keys would cross the network in clear text.
    if parts.scheme == "http" and not is_loopback(value):
        raise ValueError("https://, since plain http:// is accepted for this machine alone")
    return str(value).rstrip("/")


Address = Annotated[str, BeforeValidator(_url)]
DatabaseLocation = Annotated[Path | Secret, PlainValidator(_database)]
ReadableFile = Annotated[Path, BeforeValidator(_readable_file)]
SecretReference = Annotated[Secret, BeforeValidator(read_reference)]
Size = Annotated[int, BeforeValidator(_size)]
Text = Annotated[str, Field(min_length=1, max_length=MOST_TEXT, strict=True)]
TextOrReference = Annotated[str, BeforeValidator(_text_or_reference)]
