"""What schemas complain about, turned into faults: a JSON pointer, a public code, a sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from gateway.domain.errors import Fault, Invalid

#: More would help nobody, and an answer must not grow with the caller's imagination.
_FAULTS_MAX = 20


class Said(str):
    """A complaint with a public code of its own."""

    __slots__ = ("code",)

    code: str

    def __new__(cls, text: str, code: str) -> Said:
        """The sentence and its code."""
        said = super().__new__(cls, text)
        said.code = code
        return said

    def __deepcopy__(self, _: object) -> Said:
        """Itself: schemas are copied when they are documented, and a text doesn't change."""
        return self


MISSING = Said("this field is required", "parameter_missing")
UNKNOWN = Said("this field is unknown; remove it", "parameter_unknown")
NULL = Said("this field can't be null", "parameter_invalid")


def pointer(*steps: object) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def invalid(messages: object) -> Invalid:
    """The 400 for a schema's messages: a single fault speaks for the whole, several are listed."""
    faults = tuple(fault for _, fault in zip(range(_FAULTS_MAX), _walk(messages, ()), strict=False))
    if len(faults) == 1:
        (only,) = faults
        return Invalid(_sentence(only), code=only.code, param=only.param, faults=faults)
    return Invalid(
        "; ".join(_sentence(fault) for fault in faults[:3]) + ("; and more" if len(faults) > 3 else ""),
        param=faults[0].param if faults else None,
        faults=faults,
    )


def _sentence(fault: Fault) -> str:
    return f"{fault.param}: {fault.detail}" if fault.param else fault.detail


def _walk(messages: object, path: tuple[object, ...]) -> Iterator[Fault]:
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            yield from _walk(inner, path if key == "_schema" else (*path, key))
    elif isinstance(messages, Sequence) and not isinstance(messages, str):
        for inner in messages:
            yield from _walk(inner, path)
    else:
        code = messages.code if isinstance(messages, Said) else "parameter_invalid"
        yield Fault(param=_short(pointer(*path)), code=code, detail=str(messages))


def _short(text: str) -> str:
    """A caller's own key may be as long as the body."""
    return text if len(text) <= 200 else text[:200] + "…"
