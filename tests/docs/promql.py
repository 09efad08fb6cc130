"""As much of PromQL as our alert rules use: selectors, rate, sum by, absent, - and /, and one comparison."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

#: A vector: labels, in order, to a value.
Vector = dict[tuple[tuple[str, str], ...], float]

_SAMPLE = re.compile(r"([a-z_]+)(?:\{(.*)\})? (\S+)")
_LABEL = re.compile(r'(\w+)(=~|=)"((?:[^"\\]|\\.)*)"')
_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<name>[a-z_]+)(?P<labels>\{[^}]*\})?(?P<range>\[\d+m\])?|(?P<sign>[()<>/,-]))"
)


@dataclass(frozen=True, kw_only=True)
class Scrape:
    """What one scrape showed: name → vector."""

    samples: Mapping[str, Vector]

    @classmethod
    def read(cls, text: str) -> Scrape:
        """Read the text format; a line that isn't of it is an error, and so is a sample that stands twice."""
        found: dict[str, Vector] = {}
        for line in text.splitlines():
            if line.startswith("#"):
                continue
            match = _SAMPLE.fullmatch(line)
            assert match is not None, f"no sample: {line}"
            labels = tuple((name, value) for name, _, value in _LABEL.findall(match[2] or ""))
            vector = found.setdefault(match[1], {})
            assert labels not in vector, f"twice: {line}"
            vector[labels] = float(match[3])
        return cls(samples=found)


@dataclass(kw_only=True)
class Rule:
    """Evaluates one expression over two scrapes, `seconds` apart; instant selectors see the newer one."""

    before: Scrape
    after: Scrape
    seconds: float = 600.0

    def fires(self, expression: str) -> Vector:
        """What the rule would alert about."""
        self._tokens = [m.groupdict() for m in _TOKEN.finditer(expression.strip())]
        assert "".join(m.group() for m in _TOKEN.finditer(expression)).strip() == expression.strip(), expression
        self._at = 0
        left = self._sum_of_terms()
        if self._at == len(self._tokens):
            return left
        sign = self._take()["sign"]
        right = self._sum_of_terms()
        assert self._at == len(self._tokens), expression
        held = {"<": lambda a, b: a < b, ">": lambda a, b: a > b}[sign or ""]
        return {key: value for key, value, other in _paired(left, right) if held(value, other)}

    def _take(self) -> dict[str, str | None]:
        self._at += 1
        return self._tokens[self._at - 1]

    def _next_is(self, sign: str) -> bool:
        return self._at < len(self._tokens) and self._tokens[self._at]["sign"] == sign

    def _sum_of_terms(self) -> Vector:
        left = self._quotient()
        while self._next_is("-"):
            self._take()
            left = {key: a - b for key, a, b in _paired(left, self._quotient())}
        return left

    def _quotient(self) -> Vector:
        left = self._atom()
        while self._next_is("/"):
            self._take()
            left = {key: a / b for key, a, b in _paired(left, self._atom()) if b}
        return left

    def _atom(self) -> Vector:
        token = self._take()
        if token["number"] is not None:
            return {(("*", "*"),): float(token["number"])}
        match token["name"]:
            case "sum":
                by = self._take()
                assert by["name"] == "by"
                names = self._names()
                return _summed(self._inside(), names)
            case "rate":
                self._open()
                token = self._take()
                self._close()
                assert token["range"] is not None
                old, new = self._select(token, self.before), self._select(token, self.after)
                return {key: (value - old.get(key, 0.0)) / self.seconds for key, value in new.items()}
            case "absent":
                return {} if self._inside() else {(): 1.0}
            case _:
                return self._select(token, self.after)

    def _inside(self) -> Vector:
        self._open()
        found = self._sum_of_terms()
        self._close()
        return found

    def _open(self) -> None:
        assert self._take()["sign"] == "("

    def _close(self) -> None:
        assert self._take()["sign"] == ")"

    def _names(self) -> list[str]:
        self._open()
        names = [str(self._take()["name"])]
        while self._next_is(","):
            self._take()
            names.append(str(self._take()["name"]))
        self._close()
        return names

    def _select(self, token: Mapping[str, str | None], scrape: Scrape) -> Vector:
        wanted = _LABEL.findall(token["labels"] or "")
        return {
            key: value
            for key, value in scrape.samples.get(str(token["name"]), {}).items()
            if all(_fits(dict(key).get(name, ""), how, text) for name, how, text in wanted)
        }


def _fits(value: str, how: str, text: str) -> bool:
    return bool(re.fullmatch(text, value)) if how == "=~" else value == text


def _summed(vector: Vector, names: list[str]) -> Vector:
    found: Vector = {}
    for key, value in vector.items():
        kept = tuple((name, label) for name, label in key if name in names)
        found[kept] = found.get(kept, 0.0) + value
    return found


def _paired(left: Vector, right: Vector) -> list[tuple[tuple[tuple[str, str], ...], float, float]]:
    """Each of the left with the right one of the same labels; a number stands beside all."""
    number = right.get((("*", "*"),))
    if number is not None:
        return [(key, value, number) for key, value in left.items()]
    return [(key, value, right[key]) for key, value in left.items() if key in right]
