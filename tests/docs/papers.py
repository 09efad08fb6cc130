"""Reads the papers: their code blocks, links, anchors and words, for the tests that hold them to be true."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"

_FENCE = re.compile(r"^```(\S*)[ ]?([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block: ```` ```sh run ```` has the language `sh` and the mark `run`. `line` is where it stands."""

    language: str
    mark: str
    text: str
    line: int


def blocks_of(text: str) -> Sequence[Block]:
    """All fenced blocks, in order."""
    return [
        Block(language=found[1], mark=found[2].strip(), text=found[3], line=text.count("\n", 0, found.start()) + 1)
        for found in _FENCE.finditer(text)
    ]


def prose_of(text: str) -> str:
    """The text without its fenced blocks."""
    return _FENCE.sub("", text)


def links_of(text: str) -> Sequence[str]:
    """Where the prose links to."""
    return _LINK.findall(prose_of(text))


def anchors_of(text: str) -> set[str]:
    """The anchors that a page's headings give, as GitHub makes them."""
    return {_slug(heading) for heading in _HEADING.findall(prose_of(text))}


def _slug(heading: str) -> str:
    plain = _LINK.sub("", heading).replace("`", "").strip().lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
