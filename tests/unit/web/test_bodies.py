"""JSON bodies: what two readers could read differently is refused."""

from __future__ import annotations

import pytest

from gateway.adapters.web.bodies import canonical, read_object
from gateway.domain.errors import Invalid


@pytest.mark.parametrize(
    ("raw", "word"),
    [
        (b"{", "JSON"),
        (b"", "JSON"),
        (b"[1]", "object"),
        (b'"text"', "object"),
        (b"null", "object"),
        (b"1", "object"),
        (b'{"a":1,"a":2}', "repeats"),
        (b'{"a":{"b":1,"b":1}}', "repeats"),
        (b'{"a":NaN}', "NaN"),
        (b'{"a":Infinity}', "Infinity"),
        (b'{"a":-Infinity}', "-Infinity"),
        (b'{"a":01}', "JSON"),
        (b'{"a":1} x', "JSON"),
        (b"{'a':1}", "JSON"),
        (b'{"a":"\xff"}', "UTF-8"),
        (b"\xef\xbb\xbf{}", "JSON"),
        (b'{"a":"\x00"}', "JSON"),
        (b'{"a":' + b"[" * 30_000 + b"]" * 30_000 + b"}", "deeply"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "deeply"),
        (b'{"a":' + b"9" * 5_000 + b"}", "long"),
    ],
)
def test_what_is_no_strict_json_object_is_refused(raw: bytes, word: str) -> None:
    with pytest.raises(Invalid, match=word) as caught:
        read_object(raw)
    assert caught.value.code == "invalid_json"


@pytest.mark.parametrize(
    ("raw", "param"),
    [
        (rb'{"description":"a\u0000b"}', "/description"),
        (rb'{"metadata":{"k":"\ud800"}}', "/metadata/k"),
        (rb'{"metadata":{"\udc00x":"v"}}', "/metadata"),
        (rb'{"lines":[{"name":"ok"},{"name":"\u0000"}]}', "/lines/1/name"),
    ],
)
def test_characters_that_cannot_be_kept_are_named(raw: bytes, param: str) -> None:
    with pytest.raises(Invalid) as caught:
        read_object(raw)
    assert (caught.value.code, caught.value.param) == ("invalid_characters", param)


def test_escapes_of_whole_characters_are_welcome() -> None:
    assert read_object(rb'{"a":"\u00e9 \ud83d\ude00"}') == {"a": "é 😀"}


def test_order_and_spacing_do_not_make_another_request() -> None:
    one, other = read_object(b'{"a":1,"b":{"c":"x","d":2}}'), read_object(b'{ "b": {"d":2, "c":"x"},\n"a":1}')
    assert canonical(one) == canonical(other)
    assert canonical(one) != canonical({"a": 1, "b": {"c": "x", "d": 3}})


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a":' * 64 + b"1" + b"}" * 64,
        b'{"a":"' + b"[" * 1_000 + b'"}',
        b'{"a":[' + b",".join([b"[1]"] * 200) + b"]}",
        b'{"a":"\\"' + b"{" * 500 + b'"}',
    ],
)
def test_brackets_that_do_not_nest_are_many_and_well(raw: bytes) -> None:
    assert "a" in read_object(raw)
