"""Private keys over several lines, in any wrapping, whole and in pieces."""

from __future__ import annotations

import base64
import json

import pytest

from providers.redaction import Redactor
from providers.redaction.private_keys import MOST_FOREIGN_LINES
from providers.redaction.tokens import letters

BODY = "\n".join((letters(64), letters(70)[6:], letters(80)[16:], "Qw8aB3=="))


def pem(label: str, headers: str = "", end: str = "") -> str:
    return f"-----BEGIN {label}-----\n{headers}{BODY}{end}\n-----END {label}-----\n"


RSA = pem("RSA PRIVATE KEY")
ENCRYPTED = "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0123456789ABCDEF0123456789ABCDEF\n\n"
PUTTY = (
    "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: ada@kitchen\nPublic-Lines: "
    f"2\n{letters(64)}\nAAAAC3Nz\n"
    f"Private-Lines: 1\n{letters(48)}\nPrivate-MAC: {'0a1b' * 16}\n"
)
KEYS = {
    "rsa": RSA,
    "carriage returns": RSA.replace("\n", "\r\n"),
    "ec": pem("EC PRIVATE KEY"),
    "dsa": pem("DSA PRIVATE KEY"),
    "pkcs 8": pem("PRIVATE KEY"),
    "encrypted pkcs 8": pem("ENCRYPTED PRIVATE KEY"),
    "encrypted": pem("RSA PRIVATE KEY", ENCRYPTED),
    "openssh": pem("OPENSSH PRIVATE KEY"),
    "pgp": pem("PGP PRIVATE KEY BLOCK", "Version: GnuPG v2\nComment: ada\n\n", "\n=aB3x"),
    "ssh2": RSA.replace("-----", "---- ").replace(" \n", " ----\n"),
    "putty": PUTTY,
    "narrow": "-----BEGIN PRIVATE KEY-----\n" + "\n".join(letters(200)[at : at + 20] for at in range(0, 200, 20)) + "\n-----END PRIVATE KEY-----\n",
    "indented": "".join(f"    {line}\n" for line in RSA.splitlines()),
    "json": json.dumps({"note": RSA}) + "\n",
    "json in json": json.dumps({"a": json.dumps({"note": RSA})}) + "\n",
    "python": repr({"note": RSA}) + "\n",
    "python bytes": repr([RSA.encode()]) + "\n",
    "behind syslog headers": "".join(f"Nov 21 10:00:0{n} kitchen app[12]: {line}\n" for n, line in enumerate(RSA.splitlines())),
    "behind times": "".join(f"2026-11-21T10:00:00.{n * 37 + 100}Z INFO {line}\n" for n, line in enumerate(RSA.splitlines())),
    "container log": "".join(json.dumps({"log": f"{line}\n", "stream": "stdout"}) + "\n" for line in RSA.splitlines()),
    "quoted": f'key="{RSA.strip()}"\n',
    "on one line": RSA.replace("\n", " ") + "\n",
    "without line ends": RSA.replace("\n", "") + "\n",
    "base64": base64.b64encode(RSA.encode()).decode() + "\n",
    "base64 twice": base64.b64encode(base64.b64encode(RSA.encode())).decode() + "\n",
    "query string twice": RSA.replace("\n", "%250A").replace(" ", "%2520") + "\n",
    "wrapped base64": base64.encodebytes(RSA.encode()).decode(),
    "query string": RSA.replace("\n", "%0A").replace(" ", "%20").replace("=", "%3D") + "\n",
    "source code": "".join(f'  "{line}\\n" +\n' for line in RSA.splitlines()),
    "list": json.dumps({"note": RSA.splitlines()}, indent=1) + "\n",
    "mail": "".join(f"> {line}\n" for line in RSA.splitlines()),
    "web page": RSA.replace("\n", "<br>\n"),
    "interleaved": RSA.replace("\n", "\n2026-11-21 10:00:00 GET /oven 200\n", 1),
}  # fmt: skip
AFTER = "server started\n2026-11-21T10:00:01Z INFO GET /oven 200\nend of day\n"


def survivors(text: str, redacted: str) -> list[str]:
    plain = BODY.replace("\n", "") + "0a1b0a1b"
    encoded = base64.b64encode(RSA.encode()).decode()
    twice = base64.b64encode(encoded.encode()).decode()
    parts = {
        whole[at : at + 6] for whole in (plain, encoded, twice) for at in range(len(whole) - 5)
    }
    return [part for part in parts if part in redacted and part in text]


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS.keys())
def test_private_key_vanishes_whole(key: str) -> None:
    redacted = Redactor().text("good morning\n" + key + AFTER)
    assert survivors(key, redacted) == []
    assert redacted.startswith("good morning\n")
    assert redacted.endswith(AFTER)
    assert redacted.count("\n") == (key + AFTER).count("\n") + 1
    assert Redactor().text(redacted) == redacted


@pytest.mark.parametrize("size", [1, 7, 64, 100, 1000])
@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS.keys())
def test_private_key_in_pieces_vanishes_whole(key: str, size: int) -> None:
    text = ("good morning\n" + key + AFTER).encode()
    stream = Redactor().stream()
    pieces = [stream.feed(text[at : at + size]) for at in range(0, len(text), size)]
    assert b"".join([*pieces, stream.close()]) == Redactor().block(text)


def test_key_without_end_does_not_swallow_the_log() -> None:
    log = "".join(
        f"2026-11-21T10:00:{n % 60:02} INFO GET /oven/{n} 200 ok\nstarted\n" for n in range(5000)
    )
    text = f"-----BEGIN RSA PRIVATE KEY-----\n{letters(64)}\n{log}"
    assert Redactor().text(text) == f"[redacted]\n[redacted]\n{log}"


def test_table_below_cut_off_key_is_found() -> None:
    text = f"-----BEGIN RSA PRIVATE KEY-----\n{letters(64)}\nid,password\n1,swordfish\n"
    assert Redactor().text(text).endswith("\nid,password\n1,[redacted]\n")


def test_open_key_outlasts_other_beginnings() -> None:
    lines = [RSA.splitlines()[0], RSA.splitlines()[1], "2026-11-21 10:00:00 a,token in a sentence"]
    stream = Redactor().stream()
    redacted = stream.feed("".join(f"{line}\n" for line in lines).encode())
    redacted += stream.feed("\n".join(RSA.splitlines()[2:]).encode()) + stream.close()
    assert survivors(RSA, redacted.decode()) == []


def test_search_for_rest_of_key_is_bounded() -> None:
    ordinary = "GET /oven 200 ok\n"
    text = f"-----BEGIN RSA PRIVATE KEY-----\n{ordinary * (MOST_FOREIGN_LINES + 1)}{letters(64)}\n"
    assert Redactor().text(text).endswith(f"{letters(64)}\n")


def test_certificate_and_public_key_stay() -> None:
    text = "".join(
        f"-----BEGIN {label}-----\n{letters(64)}\n-----END {label}-----\n"
        for label in ("CERTIFICATE", "PUBLIC KEY")
    )
    assert Redactor().text(text) == text


def test_key_across_chunks_is_found() -> None:
    line = "x " * 524_000 + RSA.replace("\n", "\\n") + "x " * 300_000
    stream = Redactor().stream()
    redacted = b"".join(
        [
            *(stream.feed(line[at : at + 65_536].encode()) for at in range(0, len(line), 65_536)),
            stream.close(),
        ]
    )
    assert survivors(RSA, redacted.decode()) == []
