"""Proxies and certificates from the environment, in the variables that curl and most programs use."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import pytest
import trustme

from providers.http.network import Network, NetworkSettingError, untrusted_certificate

PROXY = "http://proxy.example.com:3128"
URL = "https://eu.api.example.com/log_search"


@pytest.mark.parametrize(
    ("environ", "url", "through"),
    [
        ({"HTTPS_PROXY": PROXY}, URL, PROXY),
        ({"https_proxy": PROXY}, URL, PROXY),
        ({"https_proxy": PROXY, "HTTPS_PROXY": "http://other:1"}, URL, PROXY),
        ({"https_proxy": "", "HTTPS_PROXY": PROXY}, URL, PROXY),
        ({"ALL_PROXY": PROXY}, URL, PROXY),
        ({"ALL_PROXY": "http://other:1", "HTTPS_PROXY": PROXY}, URL, PROXY),
        ({"HTTP_PROXY": PROXY}, URL, None),
        ({"HTTPS_PROXY": PROXY}, "wss://wss-primary.example.com/link", PROXY),
        ({"HTTPS_PROXY": "proxy.example.com:3128"}, URL, PROXY),
        ({"HTTPS_PROXY": "http://proxy.example.com"}, URL, "http://proxy.example.com:80"),
        ({"HTTPS_PROXY": "https://proxy.example.com"}, URL, "https://proxy.example.com:443"),
        ({"HTTPS_PROXY": "http://[2001:db8::1]:3128/"}, URL, "http://[2001:db8::1]:3128"),
        ({"HTTPS_PROXY": PROXY}, "https://localhost:8443/", None),
        ({"HTTPS_PROXY": PROXY}, "https://127.0.0.1:8443/", None),
        ({"HTTPS_PROXY": PROXY}, "https://[::1]/", None),
        ({}, URL, None),
    ],
)
def test_proxy_follows_the_environment(
    environ: dict[str, str], url: str, through: str | None
) -> None:
    proxy = Network.from_environ(environ).proxy_for(url)
    assert (proxy.url if proxy else None) == through


@pytest.mark.parametrize(
    ("no_proxy", "url", "is_direct"),
    [
        ("*", URL, True),
        ("example.com", URL, True),
        (".example.com", URL, True),
        ("*.example.com", URL, True),
        ("EXAMPLE.com", URL, True),
        ("example.com.", URL, True),
        ("ample.com", URL, False),
        ("eu.api.example.com:443", URL, True),
        ("eu.api.example.com:8443", URL, False),
        ("other.com, example.com", URL, True),
        ("other.com example.com", URL, True),
        ("10.1.2.3", "https://10.1.2.3/", True),
        ("10.0.0.0/8", "https://10.1.2.3:8443/", True),
        ("10.0.0.0/8", "https://11.1.2.3/", False),
        ("10.1.2.3/8", "https://10.9.9.9/", True),
        ("2001:db8::1", "https://[2001:db8::1]/", True),
        ("[2001:db8::1]", "https://[2001:db8::1]/", True),
        ("[2001:db8::1]:8443", "https://[2001:db8::1]:8443/", True),
        ("[2001:db8::1]:8443", "https://[2001:db8::1]/", False),
        ("2001:db8::/32", "https://[2001:db8:9::1]/", True),
        ("2001:db8::/32", "https://[2001:db9::1]/", False),
        ("10.0.0.0/8", "https://[2001:db8::1]/", False),
        ("10.0.0.0/8", URL, False),
        ("", URL, False),
        (",, ,", URL, False),
        ("192.168.*", URL, False),
    ],
)
def test_no_proxy_names_hosts_ranges_and_ports(no_proxy: str, url: str, is_direct: bool) -> None:
    network = Network.from_environ({"HTTPS_PROXY": PROXY, "NO_PROXY": no_proxy})
    assert (network.proxy_for(url) is None) is is_direct


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("socks5://proxy.example.com:1080", "SOCKS"),
        ("ftp://proxy.example.com", "the address of a proxy"),
        ("http://", "the address of a proxy"),
        ("http://ada:hunter2@:3128", "the address of a proxy"),
        ("http://proxy.example.com:port", "the address of a proxy"),
        ("http://proxy.example.com:99999", "the address of a proxy"),
        ("http://proxy example.com:3128", "the address of a proxy"),
        ("http://proxy.example.com:3128/path", "the address of a proxy"),
        ("http://[2001:db8::1:3128", "the address of a proxy"),
        ("junk\x1b[31m", "the address of a proxy"),
    ],
)
def test_unusable_proxy_is_refused_by_name(value: str, says: str) -> None:
    with pytest.raises(NetworkSettingError) as refused:
        Network.from_environ({"https_proxy": value})
    assert refused.value.variable == "https_proxy"
    assert says in refused.value.expected
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("value", ["junk", "proxy", "localhost", "ada:hunter2@proxy", "junk/"])
def test_word_alone_is_no_proxy(value: str) -> None:
    for variable in ("HTTPS_PROXY", "http_proxy", "ALL_PROXY"):
        with pytest.raises(
            NetworkSettingError, match=rf"^{variable}: the address of a proxy"
        ) as refused:
            Network.from_environ({variable: value})
        assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    "value", ["proxy:3128", "http://proxy", "proxy.example.com", "[2001:db8::1]"]
)
def test_short_proxy_address_is_read(value: str) -> None:
    assert Network.from_environ({"HTTPS_PROXY": value}).proxy_for(URL)


@pytest.mark.parametrize(
    "entry",
    [
        "10.0.0.0/99", "10.0.0/x", "[::1", "::1]", "[]", "[example", "2001:db8::/129", "10.0.0.999", "example.com:",
        "example.com:99999", "example.com:0", "example.com:port", "https://example.com", "ada:hunter2@example.com", "example.com/path", ".",
    ],
)  # fmt: skip
def test_malformed_no_proxy_entry_is_refused_by_name(entry: str) -> None:
    with pytest.raises(
        NetworkSettingError, match=r"^NO_PROXY: entry 2 of 2: hosts, addresses and ranges"
    ) as refused:
        Network.from_environ({"NO_PROXY": f"example.com, {entry}"})
    assert "hunter2" not in str(refused.value)


def test_proxy_credentials_are_a_secret() -> None:
    network = Network.from_environ({"HTTPS_PROXY": "http://ada:hunter%402@proxy.example.com:3128"})
    proxy = network.proxy_for(URL)
    assert proxy is not None
    assert proxy.headers == {"Proxy-Authorization": "Basic YWRhOmh1bnRlckAy"}
    assert "hunter" not in f"{network} {proxy}"
    assert [secret.open() for secret in network.secrets()] == ["Basic YWRhOmh1bnRlckAy"]


def test_certificates_of_the_environment_are_trusted_alone(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    for environ in (
        {"SSL_CERT_FILE": str(tmp_path / "ca.pem")},
        {"SSL_CERT_DIR": f"/no/such/folder{os.pathsep}{tmp_path}"},
    ):
        network = Network.from_environ(environ)
        assert isinstance(network.tls, ssl.SSLContext)
    trusted = Network.from_environ({"SSL_CERT_FILE": str(tmp_path / "ca.pem")}).tls.get_ca_certs()
    assert len(trusted) == 1


@pytest.mark.parametrize("content", [None, b"", b"junk", b"\xff\xfe"])
def test_unusable_certificate_file_is_refused_by_name(
    content: bytes | None, tmp_path: Path
) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(NetworkSettingError, match=r"SSL_CERT_FILE: .*PEM"):
        Network.from_environ({"SSL_CERT_FILE": str(path)})


def test_damaged_certificate_file_is_refused_when_it_is_needed(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text(
        "-----BEGIN CERTIFICATE-----\njunk\n-----END CERTIFICATE-----\n"
    )
    network = Network.from_environ({"SSL_CERT_FILE": str(tmp_path / "ca.pem")})
    with pytest.raises(NetworkSettingError, match="SSL_CERT_FILE"):
        _ = network.tls


def test_missing_certificate_folder_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(NetworkSettingError, match="SSL_CERT_DIR"):
        Network.from_environ({"SSL_CERT_DIR": str(tmp_path / "none")})


def test_reason_is_found_however_deep_it_is_wrapped() -> None:
    inner = ssl.SSLCertVerificationError(1, "certificate verify failed")
    inner.verify_message = "self-signed certificate"
    outer = OSError("could not connect")
    outer.__cause__ = inner
    found = untrusted_certificate(outer)
    assert found and found[0] == "its certificate is not trusted (self-signed certificate)"
    assert untrusted_certificate(OSError("refused")) is None
