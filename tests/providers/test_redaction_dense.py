"""Lines in which a secret may begin at every few bytes."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial

import pytest

from providers.redaction import (
    LONGEST_LINE,
    Redactor,
    assigned,
    dense,
    named,
    notation,
    unsigned,
    values,
)
from providers.redaction.secret import DUMP_MARK, REST_MARK
from providers.redaction.tokens import letters
from tests.support.regex_work import Work

DENSE = {
    "plain names": '{"total_tokens":%d,"max_tokens":8}',
    "names with empty values": '{"token":null,"password":"","n":%d}',
    "outcomes": '{"pass":1,"fail":0},%d',
    "addresses": '"http://a/%d",',
    "inside of words": '"task_id":%d,',
}


@pytest.mark.parametrize("text", DENSE.values(), ids=DENSE)
def test_dense_line_of_ordinary_data_stays(text: str) -> None:
    line = "".join(text % (number % 997) for number in range(20_000)).encode()
    assert Redactor().block(line) == line


@pytest.mark.parametrize("text", DENSE.values(), ids=DENSE)
def test_secrets_in_dense_line_vanish(text: str) -> None:
    secrets = (
        '{"password":"hunter2!"}',
        "session_id=4f26307e9f476cad ",
        '{"k":"xoxb-123456789012-abcdefghijkl"} ',
    )
    dense = "".join(text % (number % 997) for number in range(8_000))
    line = dense + "".join(secret + dense for secret in secrets)
    redacted = Redactor().text(line)
    assert redacted.count("[redacted]") == len(secrets)
    assert "hunter2" not in redacted
    assert "4f26307e9f476cad" not in redacted
    assert "abcdefghijkl" not in redacted


def test_repeated_lines_are_redacted_like_single_ones() -> None:
    lines = b"password=hunter2!\n" * 10_000 + b"token=\n" * 10_000 + b"token=a1b2c3d4\n" * 3
    assert (
        Redactor().block(lines)
        == b"password=[redacted]\n" * 10_000 + b"token=\n" * 10_000 + b"token=[redacted]\n" * 3
    )


def test_private_key_among_dense_lines_vanishes() -> None:
    body = "MIIEpAIBAAKCAQEAq7vX2mZ9tRb4WnP6yLc8HsJ3dGf5TaE1xUoDzVgNiMhSwQeY"
    key = (
        f"-----BEGIN RSA PRIVATE KEY-----\n{body}\n{body}\n"
        + (body + "\n") * 12
        + "-----END RSA PRIVATE KEY-----\n"
    )
    redacted = Redactor().text("token=\n" * 20_000 + key + "token=\n" * 20_000)
    assert "q7vX2mZ9" not in redacted
    assert redacted.count("token=\n") == 40_000


RANDOM = random.Random(7)


def random_text(length: int) -> str:
    return "".join(RANDOM.choices(letters(60), k=length))


# No two hits are alike, so nothing can be passed over as a repetition.
CROWDED: dict[str, Callable[[], str]] = {
    "token=": lambda: f"token={random_text(8)} ",
    "long token=": lambda: f"token={random_text(40)} ",
    "-eyJ": lambda: f"-eyJ{random_text(8)}",
    "a.pwd": lambda: f"a.pwd {random_text(8)} ",
    "pass,": lambda: f"pass,{random_text(8)} ",
    "numbered names": lambda: f"a{RANDOM.randrange(10**6)}.pwd ",
    "members": lambda: f'"password":"{random_text(8)}",',
    "cookies": lambda: f"cookie: a={random_text(8)} ",
}


def crowded(kind: str, length: int) -> str:
    units = [CROWDED[kind]() for _ in range(length // 8)]
    return "".join(units)[:length]


@pytest.mark.parametrize("kind", CROWDED)
def test_crowded_line_says_what_was_removed(kind: str) -> None:
    line = crowded(kind, 300_000)
    redacted = Redactor().text(f"{line} password=hunter2!\nGET /oven 200\n")
    assert REST_MARK.decode() in redacted or DUMP_MARK.decode() in redacted
    assert redacted.endswith("\nGET /oven 200\n")
    assert "hunter2" not in redacted
    assert Redactor().text(redacted) == redacted


@pytest.mark.parametrize("kind", CROWDED)
def test_longer_crowded_line_costs_no_more(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    work = Work()
    for module in (named, notation, values, unsigned, assigned):
        work.watch(module, monkeypatch)
    line = crowded(kind, 400_000).encode()
    redact = Redactor()
    short = work.of(partial(redact.part, line[:200_000], None))
    long = work.of(partial(redact.part, line, None))
    assert long <= 1.5 * short + 10_000


@pytest.mark.parametrize("kind", CROWDED)
def test_shorter_crowded_line_is_read_whole(kind: str) -> None:
    line = crowded(kind, dense.VERY_LONG_LINE - 100)
    assert REST_MARK.decode() not in Redactor().text(line)
    assert "hunter2" not in Redactor().text(line + " password=hunter2! ")


def test_repeated_members_in_long_line_stay() -> None:
    line = "".join(
        f'{{"prompt_tokens":{n * 7919 % 100_003},"completion_tokens":{n},"session_count":{n % 13}}}'
        for n in range(8_000)
    )
    assert Redactor().text(line) == line


def test_private_key_below_crowded_line_vanishes() -> None:
    line = crowded("-eyJ", 200_000)
    text = f"{line} -----BEGIN RSA PRIVATE KEY-----\n{letters(64)}\n{letters(64)}\nGET /oven 200\n"
    redacted = Redactor().text(text)
    assert letters(64)[:20] not in redacted
    assert redacted.endswith("GET /oven 200\n")


@pytest.mark.parametrize("size", [10_000, 300_000])
def test_stream_drops_only_crowded_line(size: int) -> None:
    line = crowded("token=", LONGEST_LINE + 400_000)
    text = f"first\n{line} password=hunter2!\nGET /oven 200\n".encode()
    stream = Redactor().stream()
    pieces = [stream.feed(text[at : at + size]) for at in range(0, len(text), size)]
    redacted = b"".join([*pieces, stream.close()])
    assert redacted.startswith(b"first\n")
    assert REST_MARK in redacted or DUMP_MARK in redacted
    assert redacted.endswith(b"\nGET /oven 200\n")
    assert b"hunter2" not in redacted


def test_stream_finds_key_below_crowded_line() -> None:
    line = crowded("token=", LONGEST_LINE + 100_000)
    text = f"{line} -----BEGIN RSA PRIVATE KEY-----\n{letters(64)}\nGET /oven 200\n".encode()
    stream = Redactor().stream()
    pieces = [stream.feed(text[at : at + 65_536]) for at in range(0, len(text), 65_536)]
    redacted = b"".join([*pieces, stream.close()])
    assert letters(64)[:20].encode() not in redacted
    assert redacted.endswith(b"GET /oven 200\n")


def test_token_among_columns_of_numbers_is_removed() -> None:
    columns = b"20171223-22:15:29:606|Step_LSC|30002312|onStandStepChanged 3579\n" * 400
    token = b"1234567890123456|" + letters(27).encode()
    redacted = Redactor().block(columns + b"oven|" + token + b"|17\n" + columns)
    assert redacted == columns + b"oven|[redacted]|17\n" + columns
