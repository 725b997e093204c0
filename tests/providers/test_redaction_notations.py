"""Secrets in special notations, and the same results from both scans."""

from __future__ import annotations

import subprocess
import sys

import pytest

from providers.redaction import Redactor, rules
from providers.redaction.scan import (
    BYTES_BEFORE_HYPERSCAN,
    AdaptiveTexts,
    AhoCorasickTexts,
    HyperscanTexts,
    beginning_of_log,
)
from providers.redaction.tokens import TOKEN_FORMATS
from tests.providers.secrets_in_logs import NAMED_CONTEXTS, VALUES
from tests.providers.test_redaction_harmless import LINES

REMOVED = {
    '"password","hunter2"': '"password","[redacted]"',
    "('api_key', 'Kq7vX2mZ9tRb')": "('api_key', '[redacted]')",
    '{<<"password">>, <<"hunter2">>}': '{<<"password">>, <<"[redacted]">>}',
    "ConvertTo-SecureString 'hunter2' -AsPlainText": "ConvertTo-SecureString '[redacted]' -AsPlainText",
    "New-Object PSCredential('ada', 'hunter2')": "New-Object PSCredential('ada', '[redacted]')",
    "net user ada Secret1 /add": "net user ada [redacted] /add",
    "net use K: \\\\oven\\share Secret1 /user:ada": "net use K: \\\\oven\\share [redacted] /user:ada",
    "7z a -pKq7vX2mZ oven.7z": "7z a -p[redacted] oven.7z",
    "echo ada:Secret1 | chpasswd": "echo ada:[redacted] | chpasswd",
    "token(Kq7vX2mZ9tRb4W)": "token([redacted])",
    "INSERT INTO cook (name, password) VALUES ('ada', 'x y'), ('bob', 'z''1')": (
        "INSERT INTO cook (name, password) VALUES ('ada', '[redacted]'), ('bob', '[redacted]')"
    ),
    "\x1b[36mtoken=\x1b[0mhunter2\x1b[0m ok": "\x1b[36mtoken=\x1b[0m[redacted]\x1b[0m ok",
    "java -Dapi_key=hunter2 -jar": "java -Dapi_key=[redacted] -jar",
    "«пароль»: «hunter2»": "«пароль»: «[redacted]»",
    "GET /?password=my%20dog%2B1&x=1": "GET /?password=[redacted]&x=1",
    "password: |\n  open sesame\n\n  a: b\nuser: ada\n": (
        "password: |\n  [redacted]\n\n  [redacted]\nuser: ada\n"
    ),
    "TOKEN=<<EOF\nopen sesame\nEOF\nok\n": "TOKEN=<<EOF\n[redacted]\nEOF\nok\n",
    "password:\n  - 'hunter2'\n": "password:\n  - '[redacted]'\n",
    '$oven_token .= "Kq7vX2mZ"': '$oven_token .= "[redacted]"',
    "<password>\n    hunter2\n</password>\n": "<password>\n    [redacted]\n</password>\n",
    "curl -u 'ada:Secret1' https://k": "curl -u 'ada:[redacted]' https://k",
    "curl --user ada:'Secret1' https://k": "curl --user ada:'[redacted]' https://k",
    'curl -u "{ada}":"{Kq7vX2mZ}" https://k': 'curl -u "{ada}":"[redacted]" https://k',
    'curl -u ":Kq7vX2mZ" https://k': 'curl -u ":[redacted]" https://k',
    'curl -u "Kq7vX2mZ9t:" https://k': 'curl -u "[redacted]:" https://k',
    "<key>password</key>\n<string>hunter2</string>\n": (
        "<key>password</key>\n<string>[redacted]</string>\n"
    ),

}  # fmt: skip
KUBERNETES_SECRETS = {
    "data:\n  user: YWRh\n  oven: {v}\nkind: Secret\nmetadata:\n  name: oven\n": (
        "data:\n  user: [redacted]\n  oven: [redacted]\nkind: Secret\nmetadata:\n  name: oven\n"
    ),
    "kind: Secret\nmetadata:\n  name: a\nstringData:\n  # as it is\n  a: '{v}'\n  b: |\n    {v}\n    c\ntype: Opaque\n": (
        "kind: Secret\nmetadata:\n  name: a\nstringData:\n  # as it is\n  a: '[redacted]'\n  b: |\n    [redacted]\n"
        "    [redacted]\ntype: Opaque\n"
    ),
    '{"data":{"oven":"{v}","user":"YWRh"},"kind":"Secret","type":"Opaque"}': (
        '{"data":{"oven":"[redacted]","user":"[redacted]"},"kind":"Secret","type":"Opaque"}'
    ),
    '{\n  "kind": "Secret",\n  "data": {\n    "oven": "{v}",\n    "user": "YWRh"\n  }\n}\n': (
        '{\n  "kind": "Secret",\n  "data": {\n    "oven": "[redacted]",\n    "user": "[redacted]"\n  }\n}\n'
    ),
    "kind: ConfigMap\ndata:\n  oven: warm\n---\nkind: Secret\ndata:\n  oven: {v}\n---\nkind: ConfigMap\ndata:\n  a: b\n": (
        "kind: ConfigMap\ndata:\n  oven: warm\n---\nkind: Secret\ndata:\n  oven: [redacted]\n---\nkind: ConfigMap\n"
        "data:\n  a: b\n"
    ),
    '{\\"data\\":{\\"oven\\":\\"{v}\\"},\\"kind\\":\\"Secret\\"}': (
        '{\\"data\\":{\\"oven\\":\\"[redacted]\\"},\\"kind\\":\\"Secret\\"}'
    ),
    "- data:\n    oven: {v}\n  kind: Secret\n- kind: ConfigMap\n  data:\n    oven: warm\n- kind: Secret\n  data:\n    a: {v}\n": (
        "- data:\n    oven: [redacted]\n  kind: Secret\n- kind: ConfigMap\n  data:\n    oven: warm\n- kind: Secret\n"
        "  data:\n    a: [redacted]\n"
    ),
    "- kind: Secret\n  data:\n    oven: {v}\n- kind: ConfigMap\n  data:\n    oven: warm\n": (
    "- kind: Secret\n  data:\n    oven: [redacted]\n- kind: ConfigMap\n  data:\n    oven: warm\n"
    ),
}  # fmt: skip
HARMLESS = """
- (id)hf_requiredCharacteristicTypesForDisplayMetadata;
https://assets.example/video_box.ico-7a388b69018576d24b59331fd60aab0c.png
https://github.com/xoxa-nyc/xoxa-nyc.github.io/blob/master/README.md
https://indieweb.example/images/3/35/2018-250-xoxo-indieweb-1.jpg
rookTable: 0023452Lllk2KqjLBvaxANWEgTd7bqjsxjo8aZj0wd1
sumOfExposures = sumOfExposures;
curl -u <user:password> https://k/
curl -H "Authorization: Bearer XXXXXXXXXXXX" https://k/
curl -H "Authorization: Token ********" https://k/
Authorization: Bearer $API_KEY
Authorization: Bearer $(cat key)
{"kind":"ConfigMap","data":{"oven":"warm"}}
{"kind":"SecretStore","data":{"oven":"warm"}}
"id","name","password","email"
{"secretName":"db-creds","secretKey":"password"}
INSERT INTO cook (name, password) VALUES ($1, :password)
password VARCHAR(64)
secret = os.environ["SECRET"]
self.password = password
mysql -u root -p kitchen
docker run -p 8080:80 nginx
net user ada /delete
POST /oauth/token HTTP/1.1" 200 1024
checksum/secret: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
type=CRYPTO_SESSION msg=audit(1.1:1): op=start direction=from-server ksize=128
"password": "Passwort",
token string `json:"token"`
""".strip().splitlines()


@pytest.mark.parametrize("text", KUBERNETES_SECRETS)
def test_data_of_kubernetes_secret_is_removed(text: str) -> None:
    redacted = Redactor().text(text.replace("{v}", "d2FybSBvdmVu"))
    assert redacted == KUBERNETES_SECRETS[text]
    assert Redactor().text(redacted) == redacted


@pytest.mark.parametrize(("text", "redacted"), REMOVED.items())
def test_notation_loses_its_secret(text: str, redacted: str) -> None:
    assert Redactor().text(text) == redacted
    assert Redactor().text(redacted) == redacted


@pytest.mark.parametrize("text", [text for text in REMOVED if "\n" in text])
def test_lines_in_pieces_lose_their_secret(text: str) -> None:
    stream = Redactor().stream()
    pieces = [stream.feed(bytes([byte])) for byte in text.encode()]
    assert b"".join([*pieces, stream.close()]).decode() == REMOVED[text]


@pytest.mark.parametrize("line", HARMLESS)
def test_harmless_notation_stays(line: str) -> None:
    assert Redactor().text(line) == line


@pytest.mark.parametrize("member", ['"token":"expired",', "password=none ", '"secret_%d":"unset",'])
def test_dense_line_of_ordinary_values_stays(member: str) -> None:
    line = "".join(member % n if "%" in member else member for n in range(3000))
    assert Redactor().text(line) == line
    assert Redactor().text(line + 'password="hunter2" ').endswith('password="[redacted]" ')


WITHOUT_HYPERSCAN = """
import sys

class NoHyperscan:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "hyperscan":
            raise ImportError(name)

sys.meta_path.insert(0, NoHyperscan())
from providers.redaction import Redactor
from providers.redaction.rules import rule_table
from providers.redaction.scan import AhoCorasickTexts

rule_table().scan.found(bytes(8 * 1024 * 1024))
assert isinstance(rule_table().scan.current, AhoCorasickTexts)
sys.stdout.buffer.write(Redactor().block(sys.stdin.buffer.read()))
"""


def corpus() -> bytes:
    """Every token format in some contexts, every notation of a name, and harmless lines."""
    tokens = [
        context.replace("{}", token.sample if token.before else prefix + token.sample)
        for token in TOKEN_FORMATS
        for prefix in token.prefixes
        for context in ("{}", "using {} now", '{"note":"{}"}')
    ]
    named = [
        context.with_secret(name, value)
        for context in NAMED_CONTEXTS
        for name, value in zip(("Api_Key", "dbPassword"), VALUES.values(), strict=False)
    ]
    return "\n".join([*tokens, *named, *REMOVED, *HARMLESS, *LINES, ""]).encode()


def test_redacts_the_same_without_hyperscan() -> None:
    """The import fails on platforms without a wheel."""
    text = corpus()
    plain = subprocess.run(
        [sys.executable, "-c", WITHOUT_HYPERSCAN],
        input=text,
        capture_output=True,
        check=True,
        timeout=120,
    )
    scan = rules.rule_table().scan
    scan.found(bytes(BYTES_BEFORE_HYPERSCAN))
    redacted = Redactor().block(text)
    assert isinstance(scan, AdaptiveTexts)
    assert isinstance(scan.current, HyperscanTexts)
    assert redacted.count(b"[redacted]") > 500
    assert plain.stdout == redacted


def test_beginnings_of_logs_count_a_fourth() -> None:
    scan = AdaptiveTexts([b"token"], [b"AKIA"])
    with beginning_of_log():
        for _ in range(3):
            scan.found(bytes(BYTES_BEFORE_HYPERSCAN))
        assert isinstance(scan.current, AhoCorasickTexts)
        scan.found(bytes(BYTES_BEFORE_HYPERSCAN))
        assert isinstance(scan.current, HyperscanTexts)


def test_one_log_compiles_nothing_at_once() -> None:
    scan = AdaptiveTexts([b"token"], [b"AKIA"])
    scan.found(bytes(BYTES_BEFORE_HYPERSCAN - 1))
    assert isinstance(scan.current, AhoCorasickTexts)
    scan.found(bytes(BYTES_BEFORE_HYPERSCAN))
    assert isinstance(scan.current, HyperscanTexts)
