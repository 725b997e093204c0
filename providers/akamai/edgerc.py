"""The credentials of an API client, and the `.edgerc` file that holds them."""

from __future__ import annotations

import re
from pathlib import Path

from msgspec import Struct

from providers.redaction import Secret

# The default `max_body` of the vendor’s signers: only so many bytes are part of the signature.
MAX_BODY = 131_072
EDGERC_KEYS = ("host", "client_token", "client_secret", "access_token")


class EdgercError(ValueError):
    """An `.edgerc` that cannot be used; the text says why and holds no secret."""


class EdgeGridCredentials(Struct, frozen=True):
    """One section of an `.edgerc`. `base_url` is `https://` and the host."""

    base_url: str
    client_token: Secret
    client_secret: Secret
    access_token: Secret
    max_body: int = MAX_BODY
    account_switch_key: str = ""
    headers_to_sign: tuple[str, ...] = ()


def read_edgerc(path: Path, section: str) -> EdgeGridCredentials:
    """The credentials of one section. Accepts what real files contain: `%` in a secret, a
    byte-order mark, `https://` or a slash at the host, keys in any case, comments after a value,
    doubled keys. Raises EdgercError with a sentence for everything else.
    """
    try:
        # Editors write byte order marks, on which the vendor's own reader fails.
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise EdgercError(f"the file {path} cannot be read") from None
    # Only for an account with such a file.
    import configparser

    # Raw, because a `%` in a secret is no interpolation.
    parser = configparser.RawConfigParser(
        strict=False, inline_comment_prefixes=("#", ";"), default_section="\0"
    )
    try:
        parser.read_string(text)
    except configparser.Error:
        raise EdgercError(
            f"{path} is not an .edgerc: it needs lines such as [default] and host = …"
        ) from None
    if not parser.has_section(section):
        known = ", ".join(parser.sections()) or "none"
        raise EdgercError(f"{path} has no section [{section}]; it has: {known}")
    values = {key: (value or "").strip() for key, value in parser.items(section)}
    missing = [key for key in EDGERC_KEYS if not values.get(key)]
    if missing:
        raise EdgercError(f"section [{section}] of {path} lacks {', '.join(missing)}")
    # Both spellings occur in real files.
    body = values.get("max_body") or values.get("max-body") or str(MAX_BODY)
    return EdgeGridCredentials(
        base_url=host_url(values["host"]),
        client_token=Secret(values["client_token"]),
        client_secret=Secret(values["client_secret"]),
        access_token=Secret(values["access_token"]),
        max_body=int(body) if body.isdigit() and int(body) > 0 else MAX_BODY,
        # Terraform and the Go client read it here; the Python library ignores it.
        account_switch_key=values.get("account_key", ""),
        headers_to_sign=_names(
            values.get("headers_to_sign") or values.get("headers-to-sign") or ""
        ),
    )


def _names(text: str) -> tuple[str, ...]:
    """A list of header names, in their order; the vendor's own library writes `none` where there
    are none.
    """
    names = re.split(r"[,\s]+", text.strip("[] "))
    return tuple(name for name in names if name and name.lower() != "none")


def host_url(host: str) -> str:
    """`https://` and the bare host, whatever surrounds it."""
    bare = host.strip().removeprefix("https://").removeprefix("http://").strip("/ ")
    return f"https://{bare}"
