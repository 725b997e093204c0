"""Takes ordinary text out of what is scanned in dense lines: text that repeats, apart from its
digits, and holds no secret wherever it occurs, such as ` sid=482913 ` or `"max_tokens": 512,`.

Looking at each of these places takes a hundred times as long as replacing all of them at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import cycle
from typing import Final

from providers.redaction.scan import Match

# These parts of a block are looked at to find the texts that repeat in it.
SAMPLE_BYTES: Final = 2048
SAMPLES: Final = 3
SAMPLE_MATCHES: Final = 60
# With fewer matches in a sample, reading them takes less time than another search.
FEWEST_MATCHES: Final = 24
# A text is taken out if it occurs this often in the samples; at most MOST_TEXTS different ones are.
FEWEST_REPEATS: Final = 8
MOST_TEXTS: Final = 8
# A digit at the edge of a text could belong to a longer number.
_EDGES: Final = b" \n,;\"'})]"
_DIGITS: Final = b"0123456789"
_FOLD: Final = bytes.maketrans(_DIGITS, b"0" * 10)
# With each of these, in turn and repeated, in place of its digits, a text has to be ordinary.
_OTHER_DIGITS: Final = (b"7", b"1", b"9876543212")
_TAKEN_OUT: Final = b"\x00"
# Keeps what is not taken out.
_MASK: Final = bytes(255 if byte else 0 for byte in range(256))

Find = Callable[[bytes], list[Match]]
# Returns the ordinary texts at some matches of a block.
OrdinaryTexts = Callable[[bytes, list[Match]], Iterable[bytes]]

# Whether a block has an `@`, and whether it mentions what makes a word after a name a secret.
Context = tuple[bool, bool]
# The texts that were found last.
_RECENT: Final[dict[Context, list[bytes]]] = {}


def without_ordinary_text(
    block: bytes, find: Find, ordinary_texts: OrdinaryTexts, context: Context
) -> bytes:
    """A block of the same length in which the fixed texts of the rules are left only where there
    may be a secret. `context` is what else of the block decides which texts are ordinary.
    """
    if _TAKEN_OUT in block:
        return block
    known = _RECENT.get(context, [])
    text = _without(block, known)
    # Neighbouring blocks are mostly alike, so most need no search of their own.
    if _is_dense(text, find):
        texts = _repeated_texts(text, find, ordinary_texts)
        _RECENT[context] = (texts + [other for other in known if other not in texts])[:MOST_TEXTS]
        text = _without(text, texts)
    return text


def _is_dense(text: bytes, find: Find) -> bool:
    middle = len(text) // 2
    return len(find(text[middle : middle + SAMPLE_BYTES])) >= FEWEST_MATCHES


def _without(block: bytes, texts: list[bytes]) -> bytes:
    if not texts:
        return block
    folded = block.translate(_FOLD)
    for text in texts:
        blank = text[:1] + _TAKEN_OUT * (len(text) - 2) + text[-1:]
        # Neighbouring occurrences share a byte, so the second of two is found in a second pass.
        folded = folded.replace(text, blank).replace(text, blank)
    mask = int.from_bytes(folded.translate(_MASK), "little")
    return (int.from_bytes(block, "little") & mask).to_bytes(len(block), "little")


def _repeated_texts(block: bytes, find: Find, ordinary_texts: OrdinaryTexts) -> list[bytes]:
    counts: Counter[bytes] = Counter()
    step = max(SAMPLE_BYTES, len(block) // SAMPLES)
    for start in range(0, min(len(block), SAMPLES * step), step):
        found = find(block[start : start + SAMPLE_BYTES])[:SAMPLE_MATCHES]
        matches = [(index, start + at, start + end) for index, at, end in found]
        counts.update(text.translate(_FOLD) for text in ordinary_texts(block, matches))
    return [
        text
        for text, count in counts.most_common(MOST_TEXTS)
        if count >= FEWEST_REPEATS and _is_ordinary_with_any_digits(text, find, ordinary_texts)
    ]


def _is_ordinary_with_any_digits(text: bytes, find: Find, ordinary_texts: OrdinaryTexts) -> bool:
    if text.translate(None, _DIGITS) == text:
        return True
    if text[-1:] not in _EDGES or text[:1] in _DIGITS:
        return False
    # What is around the text makes no difference, so a blank will do.
    variants = (b" " + _with_digits(text, digits) + b" " for digits in _OTHER_DIGITS)
    return all(_is_taken_out(variant, text, find, ordinary_texts) for variant in variants)


def _with_digits(text: bytes, digits: bytes) -> bytes:
    following = cycle(digits)
    return bytes(next(following) if byte in _DIGITS else byte for byte in text)


def _is_taken_out(variant: bytes, text: bytes, find: Find, ordinary_texts: OrdinaryTexts) -> bool:
    """Whether each place of a variant at which a secret could begin is ordinary as a whole."""
    found: Iterator[bytes] = iter(ordinary_texts(variant, find(variant)))
    return any(ordinary.translate(_FOLD) == text for ordinary in found)
