"""What never leaves a provider: a corpus of lines with expected results, and streams cut anywhere."""

from __future__ import annotations

import base64
import json
import random
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.redaction import LONGEST_LINE, Redactor, Secret

SECRET_LINES = {
    "query string": (b"GET /a?token=abc123&x=1 200", b"GET /a?token=[redacted]&x=1 200"),
    "key in a query string": (b"GET /maps?q=1&key=zzz&b=2", b"GET /maps?q=1&key=[redacted]&b=2"),
    "json": (b'{"password":"p w","user":"ada"}', b'{"password":"[redacted]","user":"ada"}'),
    "json in json": (rb"{\"apiKey\":\"zzz\",\"a\":1}", rb"{\"apiKey\":\"[redacted]\",\"a\":1}"),
    "escaped quote": (rb'{"secret":"a\"b","c":1}', rb'{"secret":"[redacted]","c":1}'),
    "unclosed quote": (b'password: "never closed', b'password: "[redacted]'),
    "bearer": (
        b"Authorization: Bearer abc.def status=200",
        b"Authorization: [redacted] status=200",
    ),
    "bare bearer": (b"sent bearer abcdefgh1 ok", b"sent bearer [redacted] ok"),
    "bearer at the beginning": (b"Bearer abcdefgh1", b"Bearer [redacted]"),
    "basic": (b"proxy said Basic dXNlcjpwYXNz", b"proxy said Basic [redacted]"),
    "edgegrid": (
        b"authorization: EG1-HMAC-SHA256 client_token=a;access_token=b;signature=c",
        b"authorization: [redacted]",
    ),
    "ampersand in a password": (b"password=Tr0ub4dor&3 from=1", b"password=[redacted] from=1"),
    "environment": (b"AWS_SECRET_ACCESS_KEY=abcd", b"AWS_SECRET_ACCESS_KEY=[redacted]"),
    "header": (b"x-api-key: 9999-8888", b"x-api-key: [redacted]"),
    "cookie": (b"Set-Cookie: sid=1; theme=dark", b"Set-Cookie: [redacted]"),
    "url with password": (b"https://ada:pw@host/x", b"https://ada:[redacted]@host/x"),
    "session id": (b'"SessionId":"0123456789abcdef"', b'"SessionId":"[redacted]"'),
    "jwt": (b"got eyJhbGciOiJI.eyJzdWIiOiIx.abc-def", b"got [redacted]"),
    "slack token": (b"using xoxb-123456789012-abc", b"using [redacted]"),
    "aws key": (b"key AKIAIOSFODNN7EXAMPLE used", b"key [redacted] used"),
    "private key": (b"-----BEGIN RSA PRIVATE KEY-----MIIE", b"[redacted]"),
    "our own": (b"x=hunter2hunter2!", b"x=[redacted]!"),
}

CLEAN_LINES = [
    b'10.0.0.1 - - [21/Nov/2026:10:00:00 +0000] "GET /kitchen HTTP/1.1" 200 512',
    b"tokens=512 monkey=3 design=4 class=5 author=ada",
    b"basic training is hard",
    b"code=404 key=5",
    b"see https://example.com/path?page=2",
    b"user ada@example.com logged in",
]


@pytest.mark.parametrize(("line", "clean"), SECRET_LINES.values(), ids=SECRET_LINES.keys())
def test_secret_is_removed_from_line(line: bytes, clean: bytes) -> None:
    assert Redactor([Secret("hunter2hunter2")]).block(line) == clean


@pytest.mark.parametrize("line", CLEAN_LINES)
def test_line_without_secrets_stays(line: bytes) -> None:
    assert Redactor([Secret("hunter2hunter2")]).block(line + b"\n") == line + b"\n"


@pytest.mark.parametrize("line", [line for line, _ in SECRET_LINES.values()])
def test_redacting_twice_changes_nothing_more(line: bytes) -> None:
    once = Redactor().block(line)
    assert Redactor().block(once) == once


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_stream_cut_anywhere_is_redacted_alike(pieces: list[bytes]) -> None:
    redactor = Redactor()
    stream = redactor.stream()
    assert b"".join([*(stream.feed(piece) for piece in pieces), stream.close()]) == redactor.block(
        b"".join(pieces)
    )


def test_other_line_separators_split_no_line() -> None:
    line = "a\u2028b\u0085c\x0bd\x1ce password=geheim\n".encode()
    stream = Redactor().stream()
    assert (
        stream.feed(line) + stream.close()
        == "a\u2028b\u0085c\x0bd\x1ce password=[redacted]\n".encode()
    )


@pytest.mark.parametrize("seed", range(4))
def test_secret_at_seam_of_long_line_vanishes(seed: int) -> None:
    spread = random.Random(seed)
    filler = b"x " * (LONGEST_LINE // 2)
    secret = b"password=" + b"s3cr3t" * 20
    at = spread.randrange(len(filler) - 100, len(filler))
    line = filler[:at] + b" " + secret + b" " + filler * 3 + b" " + secret + b" end"
    stream = Redactor().stream()
    out = b""
    size = spread.randrange(10_000, 90_000)
    for start in range(0, len(line), size):
        out += stream.feed(line[start : start + size])
    out += stream.close()
    assert b"s3cr3t" not in out
    assert out.count(b"password=[redacted]") == 2


def test_secret_longer_than_seam_vanishes() -> None:
    stream = Redactor().stream()
    out = b""
    for _ in range(60):
        out += stream.feed(b"token=" + b"q" * 50_000 if not out and not _ else b"q" * 50_000)
    assert b"qq" not in out + stream.close()


OWN = 'pa"ss/wörd+1&2'


@pytest.mark.parametrize(
    "written",
    [
        OWN,
        quote(OWN, safe=""),
        quote(OWN, safe="").lower(),
        quote(OWN),
        quote_plus(OWN),
        quote(quote(OWN, safe=""), safe=""),
        json.dumps(OWN),
        json.dumps(OWN, ensure_ascii=False),
        json.dumps(json.dumps(OWN)),
        base64.b64encode(OWN.encode()).decode(),
        base64.urlsafe_b64encode(OWN.encode()).decode(),
        base64.b64encode(f"ada:{OWN}".encode()).decode(),
        base64.b64encode(f"ada2:{OWN}@".encode()).decode(),
        base64.b64encode(f"adas3:{OWN}".encode()).decode(),
    ],
)
def test_own_secret_is_found_in_any_spelling(written: str) -> None:
    redacted = Redactor([Secret(OWN)]).text(f"sent {written} to ada")
    assert redacted.startswith("sent ")
    assert redacted.endswith(" to ada")
    assert len(redacted) < len("sent  to ada") + len("[redacted]") + 12
    assert written[8:14] not in redacted


TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=30)
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["user", "password", "api_key", "note", "cookie"]), inner)
    ),
    max_leaves=12,
)


@given(JSON_VALUES, st.booleans(), st.booleans())
def test_json_stays_json(value: object, is_spaced: bool, is_ascii: bool) -> None:
    separators = (", ", ": ") if is_spaced else (",", ":")
    line = json.dumps(value, separators=separators, ensure_ascii=is_ascii)
    json.loads(Redactor().text(line))


@pytest.mark.parametrize(
    "line",
    [
        '{"message":"Password:"}',
        '{"Password:":1500.5,"user":"ada"}',
        '{"Password:": "hunter2", "user": "ada"}',
        '{\n "token": 12345678\n}',
        '{"my password ": 12345678, "user": "ada"}',
        '{"message":"api_key: \'Kq7vX2mZ9t","user":"it\'s ada"}',
        '{"message":"Authorization:[Bearer Kq7vX2mZ9t","user":"ada"}',
        '{"message":"<token>Kq7vX2mZ9t","user":"ada"}',
        '{"message":"password: “hunter2","user":"ada"}',
        '{"message":"<input name=\\"password\\">","user":"ada"}',
    ],
)
def test_cut_off_message_leaves_json_valid(line: str) -> None:
    redacted = Redactor().text(line)
    assert json.loads(redacted).keys() == json.loads(line).keys()
    assert "Kq7vX2mZ9t" not in redacted
    assert "hunter2" not in redacted


@given(st.binary(max_size=400))
def test_any_bytes_pass(block: bytes) -> None:
    once = Redactor().block(block)
    assert once.count(b"\n") == block.count(b"\n")
    assert Redactor().block(once) == once


def test_number_in_json_becomes_text() -> None:
    assert Redactor().text('{"password":12345678,"n":1}') == '{"password":"[redacted]","n":1}'


def test_value_continues_behind_seam_of_long_line() -> None:
    line = (
        b'{"a":"'
        + b"x " * (LONGEST_LINE // 2)
        + b'","password":"'
        + b"s3cr3t phrase " * 200_000
        + b'","user":"ada"}\n'
    )
    stream = Redactor().stream()
    out = b""
    for start in range(0, len(line), 100_000):
        out += stream.feed(line[start : start + 100_000])
    out += stream.close()
    assert b"s3cr3t" not in out
    assert out.endswith(b'"password":"[redacted]","user":"ada"}\n')


def test_secret_prints_as_dots() -> None:
    assert "hunter2" not in f"{Secret('hunter2')} {Secret('hunter2')!r}"


def test_yaml_value_on_the_line_below_vanishes() -> None:
    text = "password: |\n  Tr0ub4dor&3\nuser: ada\ntoken: >-\n    a1b2c3d4e5\n"
    assert (
        Redactor().text(text) == "password: |\n  [redacted]\nuser: ada\ntoken: >-\n    [redacted]\n"
    )


def test_lines_below_a_table_cell_stay() -> None:
    text = "user: | password: |\n  user: ada\npassword: |\nnext line\n"
    assert Redactor().text(text) == text
