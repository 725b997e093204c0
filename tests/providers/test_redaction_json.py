"""JSON stays valid JSON, whatever parts of secrets its strings contain."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from providers.redaction import Redactor

# Texts with half a secret in one string of a document, and others after it.
CUT_OFF_IN_JSON = r"""
{"name":"password","value":123456}
[{"key":"pin","value":1234}]
[{"passord VAL": [17]}]
[{"Authorization:OAuth y=": 12345678}, ""]
"Authorization:Hawk s=\""
[{"Authorization: ": 15000000000.0}]
[{"Cookie,": 0.5}]
{"SecureString ": 15000000000.0}
{"authorization:[e": "]"}
"authorization:[G\""
["i-key:[Y6D\""]
["authorization=[H", 17]
{"auth": "{\"level\":30,\"authorization\":\"Bearer c0ffee42\\"}
{"data": "{\"private_key\": \"-----BEGIN PRIVATE KEY-----\\nMIIE\\n\", \"n\": 1}"}
"----BEGIN PRIVATE KEY----\""
{"user": "----BEGIN PRIVATE KEY----", "": ["----END"]}
{"log": "{\"msg\": \"Private-Lines: 2\\nMIIE\"}"}
{"pass": "<Secret>B", "": "<"}
{"pass": "<Secret>B", "a": "</a>"}
[{"": "token='"}, "'"]
"pass: |\\n \\"
[{"\"passwd: |\\n ": ""}]
{"key": "", "secret": "Private-Lines: \\nPrivate-MAC:"}
{"auth": "\\nkind: Secret\\ndata:\\n ", "": "\\n d: \""}
""".strip().splitlines()


@pytest.mark.parametrize("text", CUT_OFF_IN_JSON)
def test_json_around_half_a_secret_stays_valid(text: str) -> None:
    before = json.loads(text)
    after = json.loads(Redactor().text(text))
    assert type(before) is type(after)
    assert len(before) == len(after) or isinstance(before, str)


@pytest.mark.parametrize("line", ["17", '"\\u00e9"', '"oven"'])
def test_json_below_unclosed_key_stays_valid(line: str) -> None:
    text = f'[\n  "-----BEGIN PRIVATE KEY-----",\n  {line}\n]'
    assert len(json.loads(Redactor().text(text))) == 2


NAMES = [
    "password",
    "token",
    "Authorization",
    "cookie",
    "name",
    "value",
    "key",
    "private_key",
    "msg",
    "n",
]
FRAGMENTS = (
    *(
        "password=",
        "token='",
        'secret: "',
        "Bearer c0ffee42",
        "Authorization: [",
        "Cookie: a=b; c=",
    ),
    *('"', "'", "\\", '\\"', "\n", ": ", ", ", "{", "}", "]", "</", "<secret>", "curl -u ada:"),
    *(
        "-----BEGIN PRIVATE KEY-----",
        "-----END PRIVATE KEY-----",
        "MIIEpAIBAAKC",
        "Private-Lines: 2",
    ),
    *(
        "password: |",
        "kind: Secret\ndata:\n",
        "https://ada:pw",
        "@kitchen/",
        "securestring ",
        "tomato42",
    ),
)


def some_text(chance: random.Random) -> str:
    text = "".join(chance.choices(FRAGMENTS, k=chance.randint(1, 5)))
    return json.dumps({chance.choice(NAMES): text, "n": 1}) if chance.random() < 0.2 else text


def some_value(chance: random.Random, depth: int = 0) -> Any:
    if depth < 3 and chance.random() < 0.2:
        return {name: some_value(chance, depth + 1) for name in chance.sample(NAMES, 2)}
    if depth < 3 and chance.random() < 0.1:
        return [some_value(chance, depth + 1) for _ in range(chance.randint(0, 3))]
    return chance.choice([None, True, 17, 1.5e10]) if chance.random() < 0.1 else some_text(chance)


@pytest.mark.parametrize("seed", range(20))
def test_json_of_halves_of_secrets_stays_valid(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(30):
        document = {name: some_value(chance) for name in chance.sample(NAMES, 3)}
        text = json.dumps(document, indent=chance.choice([None, None, 2]))
        assert isinstance(json.loads(Redactor().text(text)), dict), text
