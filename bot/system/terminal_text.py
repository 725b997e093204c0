"""Makes text safe for a terminal: it cannot move the cursor, set a title, or hide or reverse other
text (pure).
"""

from __future__ import annotations

import json
import re
from typing import Any

from bot.formatting import sanitise_lines

# Control sequences of ECMA-48, in seven and in eight bits: CSI; strings such as OSC up to their
# end; and single escapes.
_SEQUENCES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*+[ -/]*+[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x90\x98\x9c-\x9f]*+(?:\x07|\x9c|\x1b\\)"
    r"|\x1b[ -/]*+[0-~]"
)
# What a terminal may act upon, or a reader not see, inside a JSON string.
_UNSEEN = re.compile(
    "[\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)


def terminal_text(text: str) -> str:
    """The text with its lines, without control sequences. Other control and direction characters
    become `·`.
    """
    return sanitise_lines(_SEQUENCES.sub("", text).replace("\r\n", "\n"))


def terminal_line(text: str) -> str:
    """The same on one line, so that it cannot imitate a line of the program."""
    return terminal_text(text).replace("\n", " ")


def terminal_json(value: Any) -> str:
    """The value as one line of JSON, in which every control, also beyond ASCII, is written as an
    escape.
    """
    # `ensure_ascii` would escape every letter with an accent, too.
    return _UNSEEN.sub(_escape, json.dumps(value, ensure_ascii=False))


def _escape(match: re.Match[str]) -> str:
    return json.dumps(match[0])[1:-1]
