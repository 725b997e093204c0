"""How connections leave this machine: through which proxy, and which certificates they trust.

Read once from the environment, with the variables that curl and most programs share, so that
vendors, Slack's Web API, its WebSocket, response URLs and uploads all use the same settings.
"""

from __future__ import annotations

import ipaddress
import os
import ssl
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

import truststore
from msgspec import Struct

from providers.http.circuit import SharedCircuits
from providers.http.observer import RequestObserver, ignore_request
from providers.redaction import Secret

PROXY_VARIABLES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")
EXAMPLE_PROXY = "http://proxy.example.com:3128"
NEEDS_PEM = "a file of certificates in PEM form (-----BEGIN CERTIFICATE-----) that can be read"
NEEDS_HOSTS = (
    "hosts, addresses and ranges such as example.com, 10.1.2.3, 10.0.0.0/8 or [2001:db8::1]:8443, "
    "separated by commas"
)
MOST_PORT = 65_535
# RFC 1035, 3.1, with the dot at its end.
MOST_HOST = 254
PROXY_HINT = "Check HTTPS_PROXY, or name the host in NO_PROXY where it is reached directly."
UNTRUSTED_HINT = (
    "If a private authority signed it, point SSL_CERT_FILE to a PEM file that holds that "
    "authority's certificate."
)
# By OpenSSL's number of the reason (X509_V_ERR_…); every other one is about who signed.
_CERTIFICATE_HINTS = {
    9: "Check the clock of the bot's machine.",
    10: "Its operator has to renew it. Check the clock of the bot's machine, too.",
    62: "Check the name of the host: the certificate is that of another one.",
    64: "Name the host instead of its IP address: the certificate is that of a name.",
}
_DEFAULT_PORTS = {"https": 443, "wss": 443, "http": 80, "ws": 80}


class NetworkSettingError(Exception):
    """An environment variable that cannot be used: its name, and what would be right. Never its
    value, which may hold a password.
    """

    def __init__(self, variable: str, expected: str) -> None:
        super().__init__(f"{variable}: {expected}")
        self.variable = variable
        self.expected = expected


class ProxyServer(Struct, frozen=True):
    """A proxy's address without its credentials, and the `Proxy-Authorization` header that it
    wants, if any.
    """

    url: str
    authorization: Secret | None = None

    @property
    def headers(self) -> dict[str, str]:
        return {"Proxy-Authorization": self.authorization.open()} if self.authorization else {}


@dataclass(frozen=True)
class Network:
    """Proxies by variable, the hosts that are reached without one, and the certificates
    to trust.
    """

    proxies: Mapping[str, ProxyServer] = field(default_factory=dict)
    no_proxy: tuple[NoProxyEntry, ...] = ()
    ca_file: Path | None = None
    ca_folders: tuple[Path, ...] = ()
    # Called for every request to a vendor.
    observer: RequestObserver = field(default=ignore_request, compare=False, repr=False)
    # Which vendors are down, if other processes share that.
    circuits: SharedCircuits | None = field(default=None, compare=False, repr=False)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Network:
        """The network that the environment describes. Raises NetworkSettingError for a value that
        cannot be used.
        """
        proxies = {}
        for variable in PROXY_VARIABLES:
            name, value = _lookup(variable, environ)
            if value:
                proxies[variable] = _parse_proxy(name, value)
        return cls(
            proxies=proxies,
            no_proxy=_parse_no_proxy(*_lookup("NO_PROXY", environ)),
            ca_file=_ca_file(environ.get("SSL_CERT_FILE", "").strip()),
            ca_folders=_ca_folders(environ.get("SSL_CERT_DIR", "").strip()),
        )

    def proxy_for(self, url: str) -> ProxyServer | None:
        """The proxy for a URL; None for this machine, for hosts in NO_PROXY, and if no proxy is
        set.
        """
        if not self.proxies:
            return None
        parts = urlsplit(url)
        # This machine is never reached through a proxy.
        if is_loopback(url) or any(entry.matches(parts) for entry in self.no_proxy):
            return None
        variable = "HTTPS_PROXY" if parts.scheme in ("https", "wss") else "HTTP_PROXY"
        return self.proxies.get(variable) or self.proxies.get("ALL_PROXY")

    @cached_property
    def tls(self) -> ssl.SSLContext:
        """Trusts the certificates in SSL_CERT_FILE and SSL_CERT_DIR; if neither is set, those that
        the operating system trusts. Raises NetworkSettingError if SSL_CERT_FILE is damaged.
        """
        if not self.ca_file and not self.ca_folders:
            # The operating system's store includes a company's own authorities.
            return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if self.ca_file:
            try:
                context.load_verify_locations(cafile=self.ca_file)
            except (ssl.SSLError, OSError):
                raise NetworkSettingError("SSL_CERT_FILE", NEEDS_PEM) from None
        for folder in self.ca_folders:
            context.load_verify_locations(capath=folder)
        return context

    def secrets(self) -> list[Secret]:
        """The proxies' credentials, which must not appear in anything shown."""
        return [proxy.authorization for proxy in self.proxies.values() if proxy.authorization]


class NoProxyEntry(Struct, frozen=True):
    """One entry of NO_PROXY: `*`, a host and all below it (with or without a leading dot), an
    address, or a CIDR range; each with a port or without.
    """

    host: str
    port: int | None = None
    range: ipaddress.IPv4Network | ipaddress.IPv6Network | None = None

    @classmethod
    def parse(cls, text: str) -> NoProxyEntry:
        """The entry. Raises ValueError for text that is not a host, an address or a range. A
        program that skips such an entry sends requests through the proxy that should not go there.
        """
        if found := _address_range(_without_brackets(text)):
            return cls(text, range=found)
        host, colon, port = text.rpartition(":")
        if not colon:
            host = text
        elif not (
            port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) <= MOST_PORT
        ):
            raise ValueError("not a port")
        if host == "*":
            return cls(host, int(port) if colon else None)
        host = _without_brackets(host).lower().removeprefix("*.").strip(".")
        address = _address_range(host)
        if not address and (
            not host or any(c in "/[]:@" for c in host) or _is_impossible_address(host)
        ):
            raise ValueError("not a host")
        return cls(host, int(port) if colon else None, address)

    def matches(self, parts: SplitResult) -> bool:
        """True if the URL is to be reached without a proxy."""
        # A name may end in a dot and means the same.
        host = (parts.hostname or "").rstrip(".")
        if self.port is not None and self.port != (parts.port or _DEFAULT_PORTS.get(parts.scheme)):
            return False
        if self.host == "*":
            return True
        if self.range:
            address = _address(host)
            return (
                address is not None
                and address.version == self.range.version
                and address in self.range
            )
        return bool(self.host) and (host == self.host or host.endswith(f".{self.host}"))


def is_loopback(url: str) -> bool:
    """True where the URL's host is this machine."""
    host = (urlsplit(url).hostname or "").lower()
    address = _address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def untrusted_certificate(error: BaseException | None) -> tuple[str, str] | None:
    """`("its certificate is not trusted (…)", hint)` with OpenSSL's reason, such as "self-signed
    certificate in certificate chain"; None for another error.
    """
    found = _verification_error(error)
    if found is None:
        return None
    reason = getattr(found, "verify_message", "") or "it cannot be verified"
    hint = _CERTIFICATE_HINTS.get(getattr(found, "verify_code", 0), UNTRUSTED_HINT)
    return f"its certificate is not trusted ({reason.rstrip('.')})", hint


def _verification_error(error: BaseException | None) -> BaseException | None:
    for _ in range(10):
        if error is None:
            return None
        # aiohttp's wrapper is a verification error, too, without its reason.
        inner = getattr(error, "certificate_error", None)
        if isinstance(inner, BaseException):
            error = inner
        elif isinstance(error, ssl.SSLCertVerificationError):
            return error
        else:
            error = error.__cause__ or error.__context__
    return None


def is_host_name(host: str) -> bool:
    """Whether a connection to the host can be tried: an address, or labels of 1 to 63 characters."""
    if _address(host):
        return True
    if not host or len(host) > MOST_HOST or any(c.isspace() or c in "%@:/[]" for c in host):
        return False
    try:
        # As the resolver encodes it, which raises for an empty or too long label.
        host.encode("idna")
    except UnicodeError:
        return False
    return True


def _lookup(variable: str, environ: Mapping[str, str]) -> tuple[str, str]:
    """The spelling that is set, and its value; the lower-case one wins, as in curl."""
    for name in (variable.lower(), variable):
        if value := environ.get(name, "").strip():
            return name, value
    return variable, ""


def _parse_proxy(variable: str, value: str) -> ProxyServer:
    """A proxy such as `http://ada:secret@proxy.example.com:3128`; without a scheme it is http."""
    text = value if "://" in value else f"http://{value}"
    parts = urlsplit("")
    port = None
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        parts = urlsplit("")
    if parts.scheme.startswith("socks"):
        raise NetworkSettingError(
            variable,
            f"an http:// or https:// proxy such as {EXAMPLE_PROXY}; SOCKS proxies cannot be used",
        )
    host = parts.hostname or ""
    # Such as `HTTPS_PROXY=yes`.
    if "://" not in value and port is None and not any(c in host for c in ".:"):
        raise NetworkSettingError(
            variable, f"the address of a proxy such as {EXAMPLE_PROXY}; a word alone names none"
        )
    if (
        parts.scheme not in ("http", "https")
        or not _is_host(host)
        or parts.path not in ("", "/")
        or parts.query
    ):
        raise NetworkSettingError(variable, f"the address of a proxy such as {EXAMPLE_PROXY}")
    place = f"[{host}]" if ":" in host else host
    return ProxyServer(
        f"{parts.scheme}://{place}:{port or _DEFAULT_PORTS[parts.scheme]}", _authorization(parts)
    )


def _parse_no_proxy(variable: str, value: str) -> tuple[NoProxyEntry, ...]:
    """The entries, separated by commas or blanks. An invalid one is identified by its position,
    because it may be a pasted secret.
    """
    texts = value.replace(",", " ").split()
    entries = []
    for place, text in enumerate(texts, 1):
        try:
            entries.append(NoProxyEntry.parse(text))
        except ValueError:
            which = f"entry {place} of {len(texts)}: " if len(texts) > 1 else ""
            raise NetworkSettingError(variable, f"{which}{NEEDS_HOSTS}") from None
    return tuple(entries)


def _without_brackets(text: str) -> str:
    """`2001:db8::1` for `[2001:db8::1]`; text with only one bracket keeps it."""
    return text[1:-1] if text.startswith("[") and text.endswith("]") and ":" in text else text


def _is_impossible_address(host: str) -> bool:
    """True for four numbers that are not an address, such as `10.0.0.999`."""
    return host.count(".") == 3 and host.replace(".", "").isdigit() and _address(host) is None


def _authorization(parts: SplitResult) -> Secret | None:
    if parts.username is None:
        return None
    # Signs in a password are escaped in a URL.
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return Secret("Basic " + b64encode(pair.encode()).decode())


def _is_host(host: str) -> bool:
    return (
        bool(host)
        and host.isascii()
        and (_address(host) is not None or all(c.isalnum() or c in ".-_" for c in host))
    )


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _address_range(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _ca_file(value: str) -> Path | None:
    """The certificate file. Only its first lines are checked, because loading all of it takes as
    long as the rest of the start.
    """
    if not value:
        return None
    path = Path(value)
    try:
        holds_certificates = path.is_file() and b"-----BEGIN " in path.read_bytes()
    except OSError:
        holds_certificates = False
    if not holds_certificates:
        raise NetworkSettingError("SSL_CERT_FILE", NEEDS_PEM)
    return path


def _ca_folders(value: str) -> tuple[Path, ...]:
    """SSL_CERT_DIR holds one folder or several, separated as in PATH; OpenSSL passes over those
    that are missing.
    """
    folders = [Path(part) for part in value.split(os.pathsep) if part]
    there = tuple(
        folder for folder in folders if folder.is_dir() and os.access(folder, os.R_OK | os.X_OK)
    )
    if folders and not there:
        raise NetworkSettingError("SSL_CERT_DIR", "a folder of certificates that can be read")
    return there
