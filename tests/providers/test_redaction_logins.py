"""Passwords in sentences, protocols, tables and password files."""

from __future__ import annotations

import pytest

from providers.redaction import Redactor
from providers.redaction.tokens import letters
from providers.redaction.vendors import VENDOR_TOKENS, VendorToken

REDACTOR = Redactor()
SENTENCES = (
    "password is {}",
    "Password: {}",
    "the password is {}.",
    "my password is: {}",
    "using password {}",
    "Your temporary password is {}",
    "password was {}",
    "password changed to {}",
    "set password to {}",
    "password -> {}",
    "password → {}",
    'the password "{}" was rejected',
    "login ada / password {}",
    "password of ada = {}",
)
PASSWORDS = (
    "hunter2",
    "p@ssw0rd",
    "Summer2024!",
    "correct-horse-battery-staple",
    "s3cr3t",
    letters(12),
)
PLAIN = """
password is incorrect
password is required.
the password is weak
password is case-sensitive
password is stored in a vault
password is base64
password was changed
password was rejected by the policy
password set to expire
password reset for ada
using password authentication
(using password: YES)
pass is over
pass: true
token: expired
AUTH failed
AUTH timeout
verification code sent
application code 5000
enable password rotation
community manager
credentials("ada")
PASS tests/test_oven.py::test_bake[12]
--- PASS: TestOven/bake_2 (0.00s)
String password = null;
let secret = env("SECRET");
tokens: prompt=512 completion=128
arn:aws:secretsmanager:eu-west-1:123456789012:secret:kitchen
{"message":"Password:"}
{"message":"Enter password:","user":"ada"}
{"message":"<input name=\\"password\\" required>"}
MountVolume.SetUp failed for volume "db-creds" : secret "db-creds" not found
""".strip().splitlines()
LOGINS = {
    "> PASS swordfish": "> PASS [redacted]",
    "a1 LOGIN ada swordfish": "a1 LOGIN ada [redacted]",
    "AUTH PLAIN AGFkYQBzd29yZGZpc2g=": "AUTH PLAIN [redacted]",
    '[0 127.0.0.1:6379] "AUTH" "ada" "swordfish"': '[0 127.0.0.1:6379] "AUTH" "ada" "[redacted]"',
    "requests.get(url, auth=('ada', 'swordfish'))": "requests.get(url, auth=('ada', '[redacted]'))",
    'DriverManager.getConnection("jdbc:x://kitchen", "ada", "swordfish")': (
        'DriverManager.getConnection("jdbc:x://kitchen", "ada", "[redacted]")'
    ),
    "snmp-server community swordfish RO": "snmp-server community [redacted] RO",
    "username ada password 7 0822455D0A16": "username ada password 7 [redacted]",
    "radius-server key swordfish": "radius-server key [redacted]",
    "db.example:5432:kitchen:ada:swordfish": "db.example:5432:kitchen:ada:[redacted]",
    "ada/swordfish@db:1521/kitchen": "ada/[redacted]@db:1521/kitchen",
    "openssl enc -aes256 -k swordfish": "openssl enc -aes256 -k [redacted]",
    "Your verification code is 123456": "Your verification code is [redacted]",
    "Unseal Key 1: " + letters(43) + "=": "Unseal Key 1: [redacted]",
    "ENV DB_PASSWORD swordfish": "ENV DB_PASSWORD [redacted]",
    "machine kitchen\n  login ada\n  password swordfish\n": (
        "machine kitchen\n  login ada\n  password [redacted]\n"
    ),
    "DB_PASSWORD=${DB_PASSWORD:-swordfish}": "DB_PASSWORD=[redacted]}",
    "SET PASSWORD FOR ada = PASSWORD('swordfish')": "SET PASSWORD FOR ada = PASSWORD('[redacted]')",
    '{"cvv":"123"}': '{"cvv":"[redacted]"}',
}  # fmt: skip
TABLES = {
    "user,password\nada,swordfish\nbob,trout\n": "user,password\nada,[redacted]\nbob,[redacted]\n",
    "id;secret;role\r\n1;swordfish;cook\r\n": "id;secret;role\r\n1;[redacted];cook\r\n",
    '"user","api_key"\n"ada","sword, fish"\n': '"user","api_key"\n"ada","[redacted]"\n',
    "user\ttoken\nada\tswordfish\nend\n": "user\ttoken\nada\t[redacted]\nend\n",
    "Name,API Key,Role\nada,swordfish,cook\n": "Name,API Key,Role\nada,[redacted],cook\n",
    " id | password \n----+----------\n  1 | swordfish\n(1 row)\n": (
        " id | password \n----+----------\n  1 | [redacted]\n(1 row)\n"
    ),
    "+----+-----------+\n| id | password  |\n+----+-----------+\n|  1 | swordfish |\n": (
        "+----+-----------+\n| id | password  |\n+----+-----------+\n|  1 | [redacted] |\n"
    ),
}
NO_TABLES = (
    "user,password\nthe oven is hot, the bread is not\n",
    "user,password\nada,,\n",
    "user,last_login\nada,swordfish\n",
    "String password;\nint count;\n",
)


@pytest.mark.parametrize("sentence", SENTENCES)
def test_stated_password_is_removed(sentence: str) -> None:
    for password in PASSWORDS:
        assert password[1:-1] not in REDACTOR.text(sentence.replace("{}", password))


@pytest.mark.parametrize(
    "line",
    [
        "the password is `{}`",
        'password is "{}"',
        "Password was '{}'",
        "password: ({})",
    ],
)
def test_passphrase_of_plain_words_is_removed(line: str) -> None:
    redacted = REDACTOR.text(line.format("sunny day"))
    assert "sunny" not in redacted
    assert "day" not in redacted


@pytest.mark.parametrize(
    "text",
    [
        "password changed from {} to {}",
        "initial admin password:\n\n{}\n",
        "Please use the following password to proceed to installation:\n\n{}\n\nThis may also",
    ],
)
def test_announced_password_is_removed(text: str) -> None:
    values = (letters(14), "5f2c8e0a1b3d4e6f")
    redacted = REDACTOR.text(text.format(*values))
    assert not [value for value in values if value in redacted]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Your one-time password is {}", "423269"),
        ("Recovery key: {}", "-".join(["707136"] * 8)),
    ],
)
def test_announced_digits_are_removed(text: str, value: str) -> None:
    assert value not in REDACTOR.text(text.format(value))


def test_answer_to_password_prompt_of_smtp_is_removed() -> None:
    """Base64 of `Password:`, and the answer on the next line, with and without a time before it."""
    for line in ("334 UGFzc3dvcmQ6\n{}\n", "S: 334 UGFzc3dvcmQ6\n10:00:07 C: {}\n"):
        assert "aHVudGVyMg" not in REDACTOR.text(line.format("aHVudGVyMg=="))


def test_plain_word_as_password_is_removed() -> None:
    assert REDACTOR.text("the password is swordfish") == "the password is [redacted]"


@pytest.mark.parametrize("line", PLAIN)
def test_sentence_about_a_password_stays(line: str) -> None:
    assert REDACTOR.text(line) == line


@pytest.mark.parametrize(("line", "redacted"), LOGINS.items())
def test_login_loses_its_password(line: str, redacted: str) -> None:
    assert REDACTOR.text(line) == redacted
    assert REDACTOR.text(redacted) == redacted


@pytest.mark.parametrize(("table", "redacted"), TABLES.items())
def test_rows_lose_secret_columns(table: str, redacted: str) -> None:
    assert REDACTOR.text(table) == redacted
    assert REDACTOR.text(redacted) == redacted
    stream = REDACTOR.stream()
    pieces = [stream.feed(bytes([byte])) for byte in table.encode()]
    assert b"".join([*pieces, stream.close()]).decode() == redacted


@pytest.mark.parametrize("text", NO_TABLES)
def test_other_lines_below_header_stay(text: str) -> None:
    assert REDACTOR.text(text) == text


@pytest.mark.parametrize("token", VENDOR_TOKENS, ids=lambda token: token.vendor)
def test_token_beside_its_vendor_is_removed(token: VendorToken) -> None:
    for line in (
        f"{token.vendor} says {token.sample} is old",
        f'{{"{token.vendor}":"{token.sample}"}}',
    ):
        assert token.sample[4:12] not in REDACTOR.text(line)
