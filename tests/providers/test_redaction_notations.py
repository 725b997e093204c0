"""Secrets in notations of their own, and one scan that gives what the other gives."""

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
    "<key>password</key>\n<string>hunter2</string>\n": (
        "<key>password</key>\n<string>[redacted]</string>\n"
    ),
}  # fmt: skip
HARMLESS = """
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
    """The import fails where there is no wheel for the platform."""
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


def test_beginnings_of_logs_compile_nothing() -> None:
    scan = AdaptiveTexts([b"token"], [b"AKIA"])
    with beginning_of_log():
        for _ in range(3):
            scan.found(bytes(BYTES_BEFORE_HYPERSCAN))
        assert isinstance(scan.current, AhoCorasickTexts)
    scan.found(bytes(BYTES_BEFORE_HYPERSCAN))
    assert isinstance(scan.current, HyperscanTexts)
