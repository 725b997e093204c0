"""The rules of prose, for everything people read: `make prose`.

They are those of the styles that prose linters bring (Google, Microsoft, write-good) which fit plain
English, and the habits of other languages that we have had to correct. Each rule has its examples,
which are tests, too. Terms are in `docs/glossary.md`, and `test_glossary.py` looks for those.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ROOT

PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *(ROOT / name for name in ("bot.example.toml", "manifest.yml", "Makefile")),
]
CODE = [
    path
    for room in ("bot", "handlers", "providers")
    for path in sorted((ROOT / room).rglob("*.py"))
]
# Words that are looked for in logs, and pages of the sandbox, are data.
DATA = ("providers/redaction/", "bot/logs/", "bot/sandbox/", "bot/store/")
# A reader loses the thread of a longer one.
LONGEST_SENTENCE = 40
# About ten lines.
LONGEST_PARAGRAPH = 130


@dataclass(frozen=True, slots=True)
class Rule:
    """What to avoid, what to write instead, and an example of both."""

    name: str
    pattern: str
    instead: str
    wrong: str
    right: str


RULES = (
    Rule("filler", r"simply|just(?! now| opened| begun)|easily|obviously|of course|basically|actually|quite|very|really|note that", "nothing", "Simply restart it.", "Restart it."),
    Rule("courtesy", r"please|kindly", "nothing", "Please restart it.", "Restart it."),
    Rule("latin", r"\b(?:(?:e\.g|i\.e|etc|viz)\.|via\b)", "such as, that is, through", "Through a proxy, e.g. nginx.", "Through a proxy, such as nginx."),
    Rule("exclamation", r"(?<=[a-z])!(?=\s|$)", "a full stop", "It works!", "It works."),
    Rule("archaic", r"thereof|therein|hereby|whilst|amongst|upon|shall|whichever|whosoever", "of it, while, among, on, must, any", "Whilst it runs", "While it runs"),
    Rule("whoever", r"(?-i:Whoever)", "anyone who, the person who", "Whoever has access may ask.", "Anyone with access may ask."),
    Rule("beside", r"beside|besides", "next to, outside, in addition to", "A file beside bot.toml", "A file next to bot.toml"),
    Rule("in place of", r"in place of", "instead of", "One in place of two", "One instead of two"),
    Rule("any more", r"any more", "no longer", "It is not needed any more.", "It is no longer needed."),
    Rule("also", r"(?<=, )also (?:across|by|for|if|in|over|through|when|where|while|with|without)", "even, including", "Once, also across restarts", "Once, even across restarts"),
    Rule("say", r"(?-i:Say) (?!“)|(?<=; )say which", "add, use, enter, specify which", "Say a duration.", "Add a duration."),
    Rule("is to be", r"(?:is|are) to be", "must be, will be", "The name is to be changed.", "The name must be changed."),
    Rule("one after the other", r"one after the other", "one at a time, in turn", "One after the other", "One at a time"),
    Rule("all the same", r"all the same", "anyway, still", "It is sent all the same.", "It is sent anyway."),
    Rule("identifier", r"(?-i:ids?)(?! =)", "ID, IDs", "Add an id.", "Add an ID."),
    Rule("spelling", r"(?:organiz|recogniz|summariz|synchroniz|optimiz|minimiz)\w*|behaviors?|analyz\w*|canceled", "the British spelling", "an organization", "an organisation"),
    Rule("wordy", r"in order to|due to the fact|make use of|prior to|subsequent to|is able to|are able to|utili[sz]e|leverage", "to, because, use, before, after, can", "In order to stop it", "To stop it"),
    Rule("repeated", r"(?<!\.)(?-i:([a-z]{2,}) \1(?![.-]))", "the word once", "Stop the the bot.", "Stop the bot."),
    Rule("here", r"click here|\[here\]", "what the link leads to", "[here](a.md)", "[Get started](a.md)"),
    Rule("unit", r"\d(?:[kMGT]B|ms|min)", "a space before the unit", "5GB a day", "5 GB a day"),
    Rule("names", r"(?-i:Github|Postgres|Postgresql|Sqlite|Pagerduty|Devicewise|DeviceWise|Javascript|Systemd|MacOS)", "as their owners write them", "A Postgres server", "A PostgreSQL server"),
)  # fmt: skip
# The bot speaks of itself as Opswatch or the bot. A button or a comment may say “me”.
FIRST_PERSON = re.compile(r"(?-i:\bI\b)|\b(?-i:[Mm]e|[Mm]y|[Oo]ur|us|[Ww]e)\b(?!…)")
_EXPRESSIONS = {
    rule.name: re.compile(
        rule.pattern
        if rule.name in ("exclamation", "here", "latin")
        else rf"\b(?:{rule.pattern})\b",
        re.IGNORECASE,
    )
    for rule in RULES
}


def found_in(text: str) -> list[str]:
    """The violations of the rules in a text, and what to write instead."""
    return [
        f"{rule.name}: “{match[0]}” (write {rule.instead})"
        for rule in RULES
        for match in _EXPRESSIONS[rule.name].finditer(text)
    ]


def prose_of(page: str) -> str:
    """A page without its code, line by line."""
    page = re.sub(
        r"^```.*?^```$",
        _blank,
        page,
        flags=re.MULTILINE | re.DOTALL,
    )
    page = re.sub(r"^(?: {4}|\t|\.PHONY).*$", "", page, flags=re.MULTILINE)
    return re.sub(r"`[^`\n]*`", "`…`", page)


def _blank(block: re.Match[str]) -> str:
    """The same number of empty lines, so that later line numbers stay correct."""
    return "\n" * block[0].count("\n")


def long_sentences(page: str) -> list[str]:
    """Sentences and paragraphs that are too long to read at once. Rows of tables are excluded."""
    found = []
    for paragraph in re.split(r"\n\s*\n|\n(?=\s*(?:[-#|>]|\d+\.))", prose_of(page)):
        if paragraph.lstrip().startswith("|"):
            continue
        if len(paragraph.split()) > LONGEST_PARAGRAPH:
            found.append(f"paragraph of {len(paragraph.split())} words: {paragraph[:60]}…")
        found += [
            f"sentence of {len(sentence.split())} words: {sentence[:60]}…"
            for sentence in re.split(r"(?<=[.:?;])\s+", " ".join(paragraph.split()))
            if len(sentence.split()) > LONGEST_SENTENCE
        ]
    return found


def problems_of_page(path: Path) -> list[str]:
    page = path.read_text("utf-8")
    if path.name == "glossary.md":
        # Its last column lists what is not written.
        page = re.sub(r"[^|\n]*\|$", "|", page, flags=re.MULTILINE)
    if path.name == "CHANGELOG.md":
        # What is not released yet is edited with its release.
        page = re.sub(r"^## Unreleased$.*?(?=^## )", _blank, page, flags=re.MULTILINE | re.DOTALL)
    problems = [
        f"{number}: {found}"
        for number, line in enumerate(prose_of(page).splitlines(), start=1)
        for found in found_in(line)
    ]
    # A line of the changelog is read by itself.
    is_text = path.suffix == ".md" and path.name != "CHANGELOG.md"
    return [*problems, *(long_sentences(page) if is_text else [])]


def problems_of_code(path: Path) -> list[str]:
    """The violations of the rules in the messages of a module."""
    if str(path.relative_to(ROOT)).startswith(DATA):
        return []
    found = [
        (number, found)
        for number, text in texts(path)
        if " " in text
        for found in found_in(prose_of(text))
    ]
    # What a comment on an attribute says is read by developers alone; the words of sentences are
    # those that people type.
    found += [
        (number, found)
        for number, text in texts(path, comments=False)
        if path.name != "sentences.py"
        for found in first_person(text)
    ]
    return [f"{number}: {each}" for number, each in sorted(found)]


def first_person(text: str) -> list[str]:
    """Where a message uses “I” or “we”. A few words are a button or what people type, and a text of
    comments is an example of TOML.
    """
    if len(text.split()) < 3 or text.startswith("# "):
        return []
    return [f"first person: “{match[0]}”" for match in FIRST_PERSON.finditer(prose_of(text))]


def texts(path: Path, *, comments: bool = True) -> Iterator[tuple[int, str]]:
    """The string literals of a module that are not docstrings. `comments` are those below an
    attribute, such as the meaning of a setting.
    """
    tree = ast.parse(path.read_text("utf-8"))
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    if not comments:
        docstrings |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in docstrings
        ):
            yield node.lineno, node.value


def main() -> None:
    """Prints what needs correcting, and fails if anything does."""
    found = [
        *(f"{path.relative_to(ROOT)}:{each}" for path in PAGES for each in problems_of_page(path)),
        *(f"{path.relative_to(ROOT)}:{each}" for path in CODE for each in problems_of_code(path)),
    ]
    print("\n".join(found) or "Nothing to correct.")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
