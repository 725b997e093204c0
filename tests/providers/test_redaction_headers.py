"""Headers of requests in every notation of a log: of HTTP clients, servers, languages and files."""

from __future__ import annotations

import json

import pytest

from providers.redaction import Redactor
from providers.redaction.tokens import hexes, letters

REDACTOR = Redactor()
TEXT = letters(20)
HEX = hexes(32)
BASIC = "YWRhOmh1bnRlcjItYW5kLW1vcmU="
# Each header with the parts of it that have to go.
HEADERS = (
    ("Cookie", f"sid={HEX}", HEX),
    ("Cookie", "shop=c0ffee42", "c0ffee42"),
    ("cookie", f"theme=dark; sid={TEXT}; lang=en", TEXT),
    ("Set-Cookie", f"sid={HEX}; Expires=Wed, 21 Oct 2026 07:28:00 GMT; Path=/; Secure", HEX),
    ("Authorization", f"Bearer {TEXT}", TEXT),
    ("Authorization", f"Basic {BASIC}", BASIC),
    ("authorization", f"Token {HEX}", HEX),
    ("Authorization", TEXT, TEXT),
    ("Authorization", f"SSWS 00{TEXT * 2}", TEXT),
    ("Proxy-Authorization", f"Basic {BASIC}", BASIC),
    ("X-Api-Key", TEXT, TEXT),
    ("X-Auth-Token", HEX, HEX),
    ("PRIVATE-TOKEN", TEXT, TEXT),
    ("DD-API-KEY", HEX, HEX),
)
NOTATIONS = (
    "NAME: {}",
    "NAME:{}",
    "> NAME: {}\r\n> Accept: */*\r\n",
    "* [HTTP/2] [1] [NAME: {}]",
    "curl -H 'NAME: {}' https://kitchen.example",
    'curl --header "NAME: {}" https://kitchen.example',
    "http GET kitchen.example 'NAME:{}'",
    '{"headers":[{"name":"Accept","value":"*/*"},{"name":"NAME","value":"{}"}]}',
    '{\n  "name": "NAME",\n  "value": "{}"\n}',
    '{"value":"{}","name":"NAME"}',
    '{"name":"NAME","comment":"","value":"{}"}',
    '{"headers":{"NAME":"{}","accept":"*/*"}}',
    '{"headers":{"NAME":["{}"]}}',
    '{"headers":[["accept","*/*"],["NAME","{}"]]}',
    '{"rawHeaders":["accept","*/*","NAME","{}","host","kitchen"]}',
    r'{"request":"GET / HTTP/1.1\r\nNAME: {}\r\nHost: kitchen\r\n"}',
    r'{"message":"{\"headers\":{\"NAME\":\"{}\"}}"}',
    r'{"message":"{\"headers\":{\"NAME\":[\"{}\"]}}"}',
    r'{"message":"[{\"name\":\"NAME\",\"value\":\"{}\"}]"}',
    '{"key":"http.request.header.NAME","value":{"stringValue":"{}"}}',
    '{"key":"http.request.header.NAME","value":{"arrayValue":{"values":[{"stringValue":"{}"}]}}}',
    "map[Accept:[*/*] NAME:[{}] Host:[kitchen]]",
    'http.Header{"Accept":[]string{"*/*"}, "NAME":[]string{"{}"}}',
    'http2: decoded hpack field header field "NAME" = "{}"',
    "{'NAME': '{}', 'accept': '*/*'}",
    "{b'NAME': b'{}'}",
    "[('NAME', '{}'), ('accept', '*/*')]",
    r"send: b'GET / HTTP/1.1\r\nNAME: {}\r\n\r\n'",
    '{"NAME"=>"{}", "Accept"=>"*/*"}',
    '{"NAME"=>["{}"]}',
    "    [NAME] => {}",
    '["NAME"]=>\n  string(40) "{}"',
    "{Accept=[*/*], NAME=[{}], Host=[kitchen]}",
    '[Accept:"*/*", NAME:"{}"]',
    r'http-outgoing-0 >> "NAME: {}[\r][\n]"',
    "AxiosHeaders { Accept: '*/*', 'NAME': '{}' }",
    '$headers = @{ "NAME" = "{}"; "Accept" = "*/*" }',
    '$headers.Add("NAME", "{}")',
    "xhr.setRequestHeader('NAME', '{}')",
    'proxy_set_header NAME "{}";',
    'RequestHeader set NAME "{}"',
    'http-request set-header NAME "{}"',
    "<NAME>{}</NAME>",
    '<header name="NAME" value="{}"/>',
    '<header value="{}" name="NAME"/>',
    '<header name="NAME">{}</header>',
    "<header><name>NAME</name><value>{}</value></header>",
    '<request NAME="{}" method="GET"/>',
    "  NAME: {}",
    "  NAME: '{}'",
    "  NAME:\n    - {}",
    '  NAME:\n    - "{}"',
    "  - name: NAME\n    value: {}",
    '  - name: NAME\n    value: "{}"',
    '  - value: "{}"\n    name: NAME',
    "NAME = {}",
    "\x1b[36mNAME\x1b[0m: \x1b[32m{}\x1b[0m",
    "<tr><td>NAME</td><td>{}</td></tr>",
    "<dt>NAME</dt><dd>{}</dd>",
    "<b>NAME</b>: {}<br>",
    "| NAME | {} |",
    "**NAME**: `{}`",
    '{"NAME", "{}"}',
    '{<<"NAME">>,<<"{}">>}',
    '{"NAME" "{}", "host" "kitchen"}',
    '(:NAME "{}")',
    "Map(NAME -> {}, Host -> kitchen)",
    "HttpRequest(GET,kitchen,List(NAME: {}, Host: kitchen))",
    "(NAME, {})",
    '"NAME" = "{}";',
    "name=NAME, value={}",
    's:9:"NAME";s:40:"{}";',
)  # fmt: skip


@pytest.mark.parametrize("notation", NOTATIONS)
def test_header_loses_its_value(notation: str) -> None:
    for name, value, secret in HEADERS:
        line = notation.replace("NAME", name).replace("{}", value)
        redacted = REDACTOR.text(line)
        assert not [part for part in parts(secret) if part in redacted], redacted
        assert REDACTOR.text(redacted) == redacted
        if line.startswith(('{"', "{\n")) and is_json(line):
            assert is_json(redacted), redacted


def parts(secret: str) -> set[str]:
    return {secret[at : at + 5] for at in range(len(secret) - 4)}


def is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def test_stream_keeps_name_and_value_together() -> None:
    text = "".join(f"  - name: X-Api-Key\n    value: {TEXT}{number}\n" for number in range(50))
    stream = Redactor().stream()
    pieces = [stream.feed(text[at : at + 7].encode()) for at in range(0, len(text), 7)]
    redacted = b"".join([*pieces, stream.close()]).decode()
    assert redacted == "  - name: X-Api-Key\n    value: [redacted]\n" * 50
