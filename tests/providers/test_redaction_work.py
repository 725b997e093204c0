"""Redaction is linear: twice as much hostile input takes at most about twice the work."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from providers.redaction import (
    Redactor,
    addresses,
    argument_lists,
    arguments,
    assigned,
    commands,
    common_shapes,
    config_lines,
    credentials,
    dense,
    devices,
    dumps,
    encoded,
    extents,
    identified,
    kubernetes,
    lines,
    logins,
    modems,
    multiline,
    named,
    names,
    notation,
    pairs,
    periodic,
    phrases,
    private_keys,
    prose,
    rules,
    runs,
    schemes,
    search,
    stream,
    tables,
    token_rules,
    tools,
    unfolded,
    unsigned,
    values,
    vendors,
)
from tests.support.regex_work import PATTERN_TYPES, Work, unbounded_parts

MODULES = (
    addresses,
    argument_lists,
    arguments,
    assigned,
    commands,
    common_shapes,
    config_lines,
    credentials,
    dense,
    devices,
    dumps,
    encoded,
    extents,
    identified,
    kubernetes,
    lines,
    logins,
    modems,
    multiline,
    named,
    names,
    notation,
    pairs,
    periodic,
    phrases,
    private_keys,
    prose,
    runs,
    schemes,
    stream,
    tables,
    token_rules,
    tools,
    unfolded,
    unsigned,
    values,
    vendors,
)
PATTERNS = [
    pytest.param(value, id=f"{module.__name__.rpartition('.')[2]}.{name}")
    for module in MODULES
    for name, value in vars(module).items()
    if isinstance(value, PATTERN_TYPES)
]
TEXTS = [
    *named.NAME_HINTS,
    *addresses.ADDRESS_HINTS,
    *schemes.SCHEME_HINTS,
    *commands.COMMAND_HINTS,
    *devices.DEVICE_HINTS[::6],
    *logins.LOGIN_HINTS,
    *logins.EXACT_LOGIN_HINTS,
    *vendors.VENDOR_HINTS[::4],
    *tools.TOOL_HINTS,
    *modems.MODEM_HINTS[::4],
    *phrases.PHRASE_HINTS[::6],
    *kubernetes.KUBERNETES_HINTS[::4],
    *multiline.MULTILINE_HINTS,
    # The formats are much alike, so some of them stand for all.
    *(text.decode() for text in list(token_rules.token_rules())[::20]),
    "eyJ",
    "-----BEGIN RSA PRIVATE KEY-----\n",
]
TAILS = [
    "",
    "-",
    " ",
    "=",
    "= ",
    ": ",
    "='",
    '":"',
    "':'",
    '":["',
    '"=>"',
    "\\",
    '\\"',
    "/",
    "@",
    ":a@",
    ",",
    ";",
    "&",
    "\n",
    "=\n",
    "[",
    "={",
    "=<",
    ">",
]
TAILS += [
    "A" * 30,
    "=a1b2c3d4 ",
    "=a;b=c;",
    ":((",
    "%3D",
    " -p ",
    "&gt;",
    "&lt;",
    "://",
    '"kty"',
    "\\u0022",
    "|a=",
    '"""',
    "%25",
    "(",
    "|",
    "(a ",
    '"> ',
    "=“",
    '"->"a"->',
]
# Below this size, the constant part of the work shows.
SIZE = 3000


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    work = Work()
    for module in MODULES:
        work.watch(module, monkeypatch)
    phrases = rules.phrase_rules().values()
    tokens = rules.exact_rules().values()
    multilines: list[list[token_rules.Rule]] = [[] for _ in multiline.MULTILINE_HINTS]
    known = rules.rule_table()
    table = rules.RuleTable(known.scan, [*phrases, *tokens, *multilines], known.behind_digits)
    monkeypatch.setattr(search, "rule_table", lambda: table)
    # What repeats is passed over, which would hide how the rules grow.
    monkeypatch.setattr(dense, "DENSE_MATCHES", 10**9)
    monkeypatch.setattr(search, "_begins_dense", lambda _: False)
    monkeypatch.setattr(search, "has_long_run", lambda _: False)
    monkeypatch.setattr(search, "shortened", lambda line: (line, []))
    return work


@pytest.mark.parametrize("pattern", PATTERNS)
def test_expression_takes_nothing_back_without_limit(pattern: re.Pattern[bytes]) -> None:
    assert unbounded_parts(pattern) == []


def test_token_expressions_take_nothing_back_without_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[re.Pattern[bytes]] = []
    compile_ = re.compile

    def kept(pattern: bytes, flags: int = 0) -> re.Pattern[bytes]:
        compiled.append(compile_(pattern, flags))
        return compiled[-1]

    monkeypatch.setattr(re, "compile", kept)
    for prefix, token_formats in token_rules.token_rules().items():
        for rule in token_formats:
            rule(prefix, 0)
    assert len(compiled) > 200
    assert [pattern.pattern for pattern in compiled if unbounded_parts(pattern)] == []


@pytest.mark.parametrize("tail", TAILS)
def test_work_grows_with_input_and_no_faster(work: Work, tail: str) -> None:
    redact = Redactor()
    for text in TEXTS:
        block = ((text + tail) * SIZE).encode()[: 2 * SIZE]
        once = work.of(partial(redact.part, block[:SIZE], None))
        twice = work.of(partial(redact.part, block, None))
        assert twice <= 2.5 * once + SIZE, (text, tail, once, twice)
        assert twice <= 400 * 2 * SIZE, (text, tail, twice)


@pytest.mark.parametrize("front", ["(", "<", 'name="', '{"a":"', "&lt;", "login "])
def test_work_behind_any_front_grows_no_faster(work: Work, front: str) -> None:
    redact = Redactor()
    for text in ("pass", "token", "sid", "cookie", "otp", "vendor_key"):
        for tail in TAILS:
            block = ((front + text + tail) * SIZE).encode()[: 2 * SIZE]
            once = work.of(partial(redact.part, block[:SIZE], None))
            twice = work.of(partial(redact.part, block, None))
            assert twice <= 2.5 * once + SIZE, (front, text, tail, once, twice)


def test_repeated_token_beginning_is_read_once(work: Work) -> None:
    redact = Redactor()
    small = work.of(partial(redact.part, b"-eyJ" * 2000, None))
    large = work.of(partial(redact.part, b"-eyJ" * 4000, None))
    assert large <= 2.2 * small


REPEATED = (
    *("-eyJ", "a.pwd ", "token= ", "pass,", "pass(", "pass|", "password='", "token=${a} ", "AAAA"),
    *("password=hunter2! ", '"token":"a1b2c3d4",', "http://ada:pw1@host/ ", "cookie: a=b; ", "= "),
    *(
        "token=Kq7v&",
        "xoxb-123456789012-abcdefghijkl ",
        "MIIEpAIBAAKCAQEA",
        "a:b@",
        "['pwd', 'x1y2z3'],",
    ),
)
SECRET_BETWEEN = " password=hunter2! "


@pytest.mark.parametrize("text", REPEATED)
def test_repeated_text_is_redacted_like_each_part(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = text * (12_000 // len(text))
    line = f"first {run}{SECRET_BETWEEN}{run}{text[:2]} token=a1b2c3d4 {run} last\n".encode()
    shortened = Redactor().block(line)
    monkeypatch.setattr(search, "shortened", lambda line: (line, []))
    assert shortened == Redactor().block(line)


@pytest.mark.parametrize("text", REPEATED)
def test_secret_between_repeated_texts_vanishes(text: str) -> None:
    run = text * (20_000 // len(text))
    assert "hunter2" not in Redactor().text(run + SECRET_BETWEEN + run)


@pytest.mark.parametrize("text", REPEATED)
def test_long_run_is_read_only_at_its_ends(text: str) -> None:
    line = (text * (100_000 // len(text))).encode()
    short, cuts = periodic.shortened(line)
    assert len(short) < 3 * periodic.CONTEXT
    assert len(short) + sum(cut.length for cut in cuts) == len(line)


def test_threads_share_one_redactor() -> None:
    redactor = Redactor()
    lines = b"".join(b"password=hunter2! GET /oven/%d\n" % number for number in range(2_000))
    expected = lines.replace(b"hunter2!", b"[redacted]")
    with ThreadPoolExecutor(4) as pool:
        assert all(redacted == expected for redacted in pool.map(redactor.block, [lines] * 40))


def test_empty_block_stays_empty() -> None:
    assert Redactor().block(b"") == b""
