"""What was planted, and every form in which it could turn up somewhere."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote, quote_plus

#: Nothing shorter is looked for: it would be found by chance.
_SHORTEST = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Needle:
    """Something that must not be found. `texts`: its forms as plain bytes; `digits`: those that stand by themselves."""

    name: str
    texts: Mapping[str, bytes]
    digits: Mapping[str, re.Pattern[bytes]]

    def found_in(self, hay: bytes, lower: bytes) -> Iterator[str]:
        """The forms that are in it; `lower` is the same in lower case, for what is written in hexadecimal."""
        for form, text in self.texts.items():
            if text in (lower if form == "hex" else hay):
                yield form
        for form, pattern in self.digits.items():
            if pattern.search(hay):
                yield form


def secret(name: str, text: str) -> Needle:
    """A secret: as it is, backwards, with blanks, quoted for a URL, in hexadecimal and in base 64."""
    assert len(text) >= _SHORTEST, name
    return Needle(name=name, texts=_unique(_encoded(text)), digits={})


def phone(name: str, number: str) -> Needle:
    """A phone as `2547…`: also as it is dialled and written by people."""
    assert re.fullmatch(r"254[17]\d{8}", number)
    own = number[3:]
    parts = (own[:3], own[3:6], own[6:])
    texts = {
        "whole": number,
        "whole backwards": number[::-1],
        "with blanks": " ".join(parts),
        "with hyphens": "-".join(parts),
        "with coded blanks": "%20".join(parts),
        "with plus signs": "+".join(parts),
    }
    coded = {form: text for form, text in _encoded(own).items() if form == "hex" or form.startswith("base64")}
    # Nine or ten digits turn up within longer numbers and hashes by chance, so these must stand by themselves.
    alone = {"dialled": "0" + own, "own": own, "own backwards": own[::-1]}
    return Needle(
        name=name,
        texts=_unique({**{form: text.encode() for form, text in texts.items()}, **coded}),
        digits={
            form: re.compile(rb"(?<![0-9A-Za-z])" + text.encode() + rb"(?![0-9A-Za-z])") for form, text in alone.items()
        },
    )


def _encoded(text: str) -> dict[str, bytes]:
    raw = text.encode()
    halves = text[: len(text) // 2], text[len(text) // 2 :]
    found = {
        "raw": raw,
        "backwards": raw[::-1],
        "with a blank": " ".join(halves).encode(),
        "in a URL": quote(text, safe="").encode(),
        "in a form": quote_plus(text, safe="").encode(),
        "in JSON": text.replace("\\", "\\\\").replace('"', '\\"').encode(),
        "hex": raw.hex().encode(),
    }
    for shift in range(3):
        # Within a longer text three alignments are possible; the characters at the edges are mixed with neighbours.
        code = base64.b64encode(b"\0" * shift + raw).rstrip(b"=")
        inner = code[(0, 2, 3)[shift] : len(code) - (1 if (shift + len(raw)) % 3 else 0)]
        found[f"base64 at {shift}"] = inner
        found[f"base64 for URLs at {shift}"] = inner.replace(b"+", b"-").replace(b"/", b"_")
    return found


def _unique(forms: Mapping[str, bytes]) -> dict[str, bytes]:
    seen: dict[bytes, str] = {}
    for form, text in forms.items():
        assert len(text) >= _SHORTEST, form
        seen.setdefault(text, form)
    return {form: text for text, form in seen.items()}


def found(needles: list[Needle], places: Mapping[str, bytes]) -> list[tuple[str, str, str]]:
    """(place, needle, form) of whatever is somewhere."""
    hits = []
    for place, hay in places.items():
        lower = hay.lower()
        hits += [(place, needle.name, form) for needle in needles for form in needle.found_in(hay, lower)]
    return hits
