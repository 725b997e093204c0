"""The values of Kubernetes Secrets, as `kubectl get secret -o yaml` shows them. Their names are free,
so only `kind: Secret` above or below them says what they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from providers.patterns import lazy_pattern
from providers.redaction.notation import Span
from providers.redaction.values import is_ordinary

KUBERNETES_HINTS: Final = (
    "kind: secret",
    "kind: 'secret'",
    'kind: "secret"',
    '"kind":"secret"',
    '"kind": "secret"',
    # In the annotation that `kubectl apply` keeps.
    r"\"kind\":\"secret\"",
)
# A Secret holds at most 1 MiB; those with certificates have some kilobytes.
_LONGEST_DOCUMENT: Final = 16 * 1024
_YAML_KIND: Final = lazy_pattern(rb"(?i:kind):[ ]['\"]?(?i:secret)['\"]?[ \t\r]*+(?:\n|$)")
_INDENT: Final = lazy_pattern(rb"[ \t]*+")
_YAML_DATA: Final = lazy_pattern(rb"(?m)^([ \t]{0,40}(?:-[ ])?)(?:data|stringData):[ \t\r]{0,8}\n")
_YAML_MEMBER: Final = lazy_pattern(
    rb"""(?x) ["']?[\w.-]{1,253}["']? : [ \t]{1,8}
    (?: (?P<scalar>[|>][+-]?\d?[+-]?) [ \t\r]{0,8}$ | (?P<quote>["']?) (?P<value>[^\s"'\#][^\n"']*+) )
    """
)
_JSON_DATA: Final = lazy_pattern(rb"\"(?:data|stringData)\\{0,8}\"\s{0,4}:\s{0,4}\{")
_JSON_MEMBER: Final = lazy_pattern(
    rb"""(?x) \s{0,100} (?:,\s{0,100})? \\{0,8}"[^"\\\n]{1,253}\\{0,8}" \s{0,4}:\s{0,4}
    \\{0,8}" (?P<value>[^"\\\n]*+) \\{0,8}" """
)
_MOST_MEMBERS: Final = 256


def kubernetes_secrets(block: bytes, at: int) -> list[Span]:
    """The values of the Secret whose kind is at `at`."""
    start, end = _document(block, at)
    spans: list[Span] = []
    if block.startswith((b'"', b"\\"), at):
        for data in _JSON_DATA.finditer(block, start, end):
            spans += _json_values(block, data.end(), end)
        return spans
    line = block.rfind(b"\n", start, at) + 1 or start
    if not _YAML_KIND.match(block, at) or block[line:at].strip(b" \t-"):
        return []
    indent = at - line
    start, end = _item(block, start, at, end, indent)
    for data in _YAML_DATA.finditer(block, start, end):
        if len(data[1]) == indent:
            spans += _yaml_values(block, data.end(), end, indent=indent)
    return spans


def _document(block: bytes, at: int) -> tuple[int, int]:
    """The document around a place. What is beyond the next kind belongs to the next document."""
    kind = block[at : at + 6]
    first = max(0, at - _LONGEST_DOCUMENT)
    start = max(first, block.rfind(b"\n---", first, at) + 1, block.rfind(kind, first, at) + 1)
    end = min(len(block), at + _LONGEST_DOCUMENT)
    for text in (b"\n---", block[at : at + 12]):
        if (found := block.find(text, at + 1, end)) >= 0:
            end = found
    return start, end


# `kubectl get all -o yaml` writes one document with the resources as the items of a list.
def _item(block: bytes, start: int, at: int, end: int, indent: int) -> tuple[int, int]:
    """The item around a place, if the document is a list of Secrets and other resources."""
    if indent < len("- "):
        return start, end
    begins = b"\n" + b" " * (indent - 2) + b"- "
    first = block.rfind(begins, start, at) + 1
    following = block.find(begins, at, end)
    return max(start, first), end if following < 0 else following


def _json_values(block: bytes, start: int, end: int) -> Iterator[Span]:
    """The values of the members from `start`, which are strings."""
    for _ in range(_MOST_MEMBERS):
        member = _JSON_MEMBER.match(block, start, end)
        if member is None:
            return
        if not is_ordinary(member["value"]):
            yield Span(*member.span("value"))
        start = member.end()


def _yaml_values(block: bytes, start: int, end: int, *, indent: int) -> Iterator[Span]:
    """The values in the lines from `start` that are indented deeper than `indent`."""
    # The indentation of the member whose block scalar is being read.
    scalar_indent: int | None = None
    while start < end:
        line_end = block.find(b"\n", start, end)
        line_end = end if line_end < 0 else line_end
        first = _INDENT.match(block, start, line_end)
        text = first.end() if first else start
        depth = text - start
        line = block[text:line_end].rstrip()
        start = line_end + 1
        if not line:
            continue
        if depth <= indent:
            return
        if scalar_indent is not None and depth > scalar_indent:
            yield Span(text, text + len(line))
            continue
        scalar_indent = None
        member = _YAML_MEMBER.match(block, text, text + len(line))
        if member and member["scalar"]:
            scalar_indent = depth
        elif member and not is_ordinary(member["value"]):
            yield Span(*member.span("value"))
