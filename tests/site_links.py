"""What MkDocs does beside the pages: files of the checkout that they link to are part of the site."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
# Links from a page to a file outside docs/, such as `../deploy/alerts.yml`.
OUTSIDE = re.compile(r"\]\((?:\.\./)+(?P<path>[\w./-]+)[^)]*\)")
# The theme leaves the name of its search out, which screen readers need.
NAMELESS = '<div class="md-search" data-md-component="search" role="dialog"'


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """The home page has no folder of its own above which its links could begin."""
    return markdown.replace("](../", "](") if page.is_homepage else markdown


def on_post_page(output: str, **_: Any) -> str:
    return output.replace(NAMELESS, f'{NAMELESS} aria-label="Search"')


def on_post_build(config: Any, **_: Any) -> None:
    """Copies the files that pages link to, at the same place above the pages."""
    pages = Path(config["docs_dir"]).rglob("*.md")
    text = "\n".join(page.read_text("utf-8") for page in pages)
    for path in {match["path"].rstrip("/") for match in OUTSIDE.finditer(text)}:
        source, target = ROOT / path, Path(config["site_dir"]) / path
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        elif source.is_dir() and not target.exists():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
