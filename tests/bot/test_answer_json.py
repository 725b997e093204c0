"""The JSON of an answer in the terminal."""

from __future__ import annotations

from bot.answer import Answer
from bot.cli.ask import TerminalAnswer


def test_text_of_json_mentions_and_links_nothing() -> None:
    answer = Answer("eu (<!channel> & <https://x.example|y>): 1 kB", [])
    shown = TerminalAnswer(answer, ()).as_json()
    assert shown["text"] == "eu (&lt;!channel&gt; &amp; &lt;https://x.example|y&gt;): 1 kB"
