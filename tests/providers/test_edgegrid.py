"""Signatures: the vendor's own test vectors, and the files that contain the credentials."""

from __future__ import annotations

import json
import tempfile
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.akamai.auth import EdgeGridAuth
from providers.akamai.edgerc import EdgeGridCredentials, EdgercError, read_edgerc
from providers.redaction import Secret

VECTORS = files("akamai.edgegrid") / "test"
DATA: dict[str, Any] = json.loads((VECTORS / "testdata.json").read_text())
CASES: list[dict[str, Any]] = json.loads((VECTORS / "testcases.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=[case["testName"] for case in CASES])
async def test_signature_equals_that_of_vendor(case: dict[str, Any]) -> None:
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200)

    credentials = EdgeGridCredentials(
        DATA["base_url"],
        Secret(DATA["client_token"]),
        Secret(DATA["client_secret"]),
        Secret(DATA["access_token"]),
        max_body=DATA["max_body"],
        headers_to_sign=tuple(DATA["headers_to_sign"]),
    )
    auth = EdgeGridAuth(
        credentials,
        now=lambda: datetime.strptime(DATA["timestamp"], "%Y%m%dT%H:%M:%S%z"),
        nonce=lambda: DATA["nonce"],
    )
    asked = case["request"]
    headers = [
        (name, value) for header in asked.get("headers", []) for name, value in header.items()
    ]
    async with httpx.AsyncClient(
        transport=httpx.MockTransport(answer), auth=auth, base_url=DATA["base_url"]
    ) as client:
        await client.request(
            asked["method"], asked["path"], content=asked.get("data", "").encode(), headers=headers
        )
    assert sent[0].headers["Authorization"] == case["expectedAuthorization"]


def test_there_are_fifteen_vectors() -> None:
    assert len(CASES) == 15


def edgerc(tmp_path: Path, text: str) -> Path:
    path = tmp_path / ".edgerc"
    path.write_bytes(text.encode())
    return path


GOOD = (
    "[default]\nhost = akab.example.net\nclient_token = ct\nclient_secret = cs\naccess_token = at\n"
)


@pytest.mark.parametrize(
    ("text", "secret", "address"),
    [
        (GOOD, "cs", "https://akab.example.net"),
        (GOOD.replace("= cs", "= 100%s%(x)s"), "100%s%(x)s", "https://akab.example.net"),
        ("\ufeff" + GOOD, "cs", "https://akab.example.net"),
        (
            GOOD.replace("akab.example.net", "https://akab.example.net/"),
            "cs",
            "https://akab.example.net",
        ),
        (
            GOOD.replace("host", "Host").replace("akab.example.net", "akab.example.net # ours"),
            "cs",
            "https://akab.example.net",
        ),
        (GOOD + "client_secret = cs2\n", "cs2", "https://akab.example.net"),
        (GOOD.replace("\n", "\r\n"), "cs", "https://akab.example.net"),
    ],
    ids=["plain", "percent", "bom", "https and slash", "case and comment", "doubled key", "crlf"],
)
def test_edgerc_variants_are_read(tmp_path: Path, text: str, secret: str, address: str) -> None:
    found = read_edgerc(edgerc(tmp_path, text), "default")
    assert (found.client_secret.open(), found.base_url) == (secret, address)


@pytest.mark.parametrize(
    ("text", "section", "says"),
    [
        (GOOD, "papi", "no section [papi]; it has: default"),
        (GOOD.replace("client_secret = cs\n", ""), "default", "lacks client_secret"),
        ("nonsense", "default", "not an .edgerc"),
    ],
)
def test_unusable_edgerc_is_explained(tmp_path: Path, text: str, section: str, says: str) -> None:
    with pytest.raises(EdgercError, match=says.replace("[", r"\[").replace("]", r"\]")):
        read_edgerc(edgerc(tmp_path, text), section)


def test_missing_edgerc_is_explained(tmp_path: Path) -> None:
    with pytest.raises(EdgercError, match="cannot be read"):
        read_edgerc(tmp_path / "none", "default")


def test_max_body_and_account_key_are_read(tmp_path: Path) -> None:
    found = read_edgerc(
        edgerc(tmp_path, GOOD + "max-body = 2048\naccount_key = 1-ABCD\n"), "default"
    )
    assert (found.max_body, found.account_switch_key) == (2048, "1-ABCD")


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("headers_to_sign = X-Test1, X-Test2", ("X-Test1", "X-Test2")),
        ("headers-to-sign = X-Test1 X-Test2", ("X-Test1", "X-Test2")),
        ("headers_to_sign = none", ()),
        ("", ()),
    ],
)
def test_headers_to_sign_stay_in_order(tmp_path: Path, line: str, names: tuple[str, ...]) -> None:
    assert read_edgerc(edgerc(tmp_path, f"{GOOD}{line}\n"), "default").headers_to_sign == names


@given(
    st.text(max_size=300)
    | st.lists(
        st.sampled_from(
            [
                "[default]",
                "host = x",
                "client_token=%(a)s",
                "\x00",
                "= ",
                "[",
                "access_token : y",
                " cont",
            ]
        )
    ).map("\n".join)
)
def test_any_text_is_credentials_or_a_sentence(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ".edgerc"
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        try:
            found = read_edgerc(path, "default")
        except EdgercError as error:
            assert "\n" not in str(error)
        else:
            assert found.client_secret
