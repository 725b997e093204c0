"""Values below their names: after a header that all lines of a log have, and within one string."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from providers.redaction import Redactor

SECRET = "Kq7vX2mZ9tRb4WnP"
BELOW = {
    "YAML": "db:\n  password:\n    {}\n",
    "block scalar": "password: |\n  {}\nuser: ada\n",
    "list": "api_key:\n  - {}\n",
    "name and value": "- name: DB_PASSWORD\n  value: {}\n",
    "quoted name and value": '- name: "DB_PASSWORD"\n  value: "{}"\n',
    "JSON": '{\n  "name": "x-api-key",\n  "value": "{}"\n}\n',
    "XML": "<password>\n  {}\n</password>\n",
    "attributes": '<property name="password"\n          value="{}"/>\n',
    "elements": "<name>password</name>\n<value>{}</value>\n",
    "property list": "<key>token</key>\n<string>{}</string>\n",
    "here document": "TOKEN=<<EOF\n{}\nEOF\n",
    "form": 'Content-Disposition: form-data; name="password"\n\n{}\n--x\n',
    "table": "user,password,city\nada,{},Bern\nbo,{},Rome\n",
}
HEADERS: dict[str, Callable[[int, str], str]] = {
    "time and level": lambda n, line: f"2026-11-21T10:00:0{n}.{n}17Z INFO  {line}",
    "container": lambda _, line: f"web-1  | {line}",
    "syslog": lambda n, line: f"Nov 21 10:00:0{n} kitchen oven[42]: {line}",
    "klog": lambda n, line: f"I1121 10:00:00.00000{n}       1 main.go:42] {line}",
    "colour": lambda _, line: f"\x1b[32mINFO\x1b[0m {line}",
    "JSON": lambda n, line: json.dumps({"time": n, "message": line}),
    "JSON of a container": lambda _, line: json.dumps({"log": line + "\n", "stream": "stdout"}),
    "JSON in JSON": lambda _, line: json.dumps({"log": json.dumps({"msg": line})}),
    "logfmt": lambda n, line: f"t=2026-11-21T10:00:0{n}Z msg={json.dumps(line)}",
}
STRINGS: dict[str, Callable[[str], str]] = {
    "JSON": lambda text: json.dumps({"message": text, "n": 1}),
    "JSON in JSON": lambda text: json.dumps({"log": json.dumps({"message": text})}),
    "Python": lambda text: repr({"message": text}),
    "logfmt": lambda text: f"level=info msg={json.dumps(text)} n=1",
}
HARMLESS = (
    "Waiting for the token\nStarting oven 42 at 200C\n",
    "password:\nuser: ada42x\n",
    "tokens:\n  count7: 12\n",
    "check pass; user unknown\nauthentication failure; logname= uid=0\n",
    "Reading secret\n  from /run/secrets/db1\n",
    "run \\\n  --verbose --color2\n",
)


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("form", BELOW)
def test_value_below_name_behind_header_is_removed(form: str, header: str) -> None:
    lines = BELOW[form].replace("{}", SECRET).splitlines()
    text = "".join(f"{HEADERS[header](n % 10, line)}\n" for n, line in enumerate(lines))
    redacted = Redactor().text(f"first\n{text}last\n")
    assert SECRET[4:10] not in redacted
    assert redacted.startswith("first\n")
    assert redacted.endswith("last\n")
    assert len(redacted.splitlines()) == len(lines) + 2
    assert Redactor().text(redacted) == redacted
    if header.startswith("JSON"):
        assert all(json.loads(line) for line in redacted.splitlines()[1:-1])


@pytest.mark.parametrize("string", STRINGS)
@pytest.mark.parametrize("form", BELOW)
def test_value_below_name_in_string_is_removed(form: str, string: str) -> None:
    line = STRINGS[string](BELOW[form].replace("{}", SECRET).rstrip())
    redacted = Redactor().text(f"first\n{line}\nlast\n")
    assert SECRET[4:10] not in redacted
    assert Redactor().text(redacted) == redacted
    if string.startswith("JSON"):
        assert json.loads(redacted.splitlines()[1])


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("text", HARMLESS)
def test_harmless_lines_behind_header_stay(text: str, header: str) -> None:
    lines = "".join(f"{HEADERS[header](n, line)}\n" for n, line in enumerate(text.splitlines()))
    assert Redactor().text(lines) == lines


def test_argument_on_next_line_of_shell_is_removed() -> None:
    redacted = Redactor().text(f"run \\\n  --password \\\n  {SECRET} \\\n  --user ada\n")
    assert redacted == "run \\\n  --password \\\n  [redacted] \\\n  --user ada\n"
