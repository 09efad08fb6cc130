"""Malformed HTTP, smuggling, monstrous bodies and slow clients: a problem or a closed line, no 5xx and no hang."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.hostile.wire import Said, answers, dialled, heard, said
from tests.stack import Stack

_BODY = b'{"amount":150000,"currency":"KES"}'


def post(stack: Stack, body: bytes, *more: bytes, length: bytes | None = None, path: bytes = b"/v1/payments") -> bytes:
    """A whole POST with the shop's key; `more` are further header lines."""
    lines = [
        b"POST " + path + b" HTTP/1.1",
        b"Host: shop",
        b"Authorization: Bearer " + stack.shop.key.encode(),
        b"Idempotency-Key: hostile-%x" % time.monotonic_ns(),
        b"Content-Type: application/json",
        *([] if length == b"" else [b"Content-Length: " + (length or str(len(body)).encode())]),
        *more,
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def payments(stack: Stack) -> int:
    """How many there are."""
    return len(stack.shop.get("/v1/payments?limit=100")["data"])


def one(found: list[Said]) -> Said:
    assert len(found) == 1, found
    return found[0]


def test_a_good_request_on_a_bare_socket_is_answered(stack: Stack) -> None:
    assert one(said(stack.url, post(stack, _BODY, b"Connection: close"))).status == 201


BAD = {
    "no request line": b"\r\n\r\n\r\nnonsense\r\n\r\n",
    "half a line": b"GET\r\n\r\n",
    "a bad version": b"GET / HTTP/9.9\r\nHost: a\r\n\r\n",
    "a bad method": b"G\xc3\x89T / HTTP/1.1\r\nHost: a\r\n\r\n",
    "a header without a colon": b"GET / HTTP/1.1\r\nHost a\r\n\r\n",
    "a space before the colon": b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    "obsolete folding": b"GET / HTTP/1.1\r\nHost: a\r\nX-A: b\r\n  c\r\n\r\n",
    "NUL in a header": b"GET / HTTP/1.1\r\nHost: a\r\nX-A: b\x00c\r\n\r\n",
    "a length that is no number": b"POST /v1/payments HTTP/1.1\r\nHost: a\r\nContent-Length: ten\r\n\r\n",
    "a length below zero": b"POST /v1/payments HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n",
    "a length with a sign": b"POST /v1/payments HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello",
    "a length in underscores": b"POST /v1/payments HTTP/1.1\r\nHost: a\r\nContent-Length: 1_0\r\n\r\n0123456789",
    "two lengths": b"POST /v1/payments HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 50\r\n\r\nhello",
    "a length and chunks": (
        b"POST /v1/payments HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
    ),
    "an encoding nobody knows": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunked twice": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "chunked not last": b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "an expectation nobody knows": b"POST / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\nContent-Length: 1\r\n\r\nx",
}


@pytest.mark.parametrize("what", BAD)
def test_what_is_no_http_is_told_so_as_a_problem(stack: Stack, what: str) -> None:
    found = one(said(stack.url, BAD[what]))
    assert 400 <= found.status < 500
    assert found.problem()["code"] == "bad_request"
    assert found.headers["connection"] == "close"
    assert stack.shop.call("GET", "/healthz").status == 200


LARGE: dict[str, tuple[bytes, int]] = {
    "a long request line": (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
    "a large header": (b"GET / HTTP/1.1\r\nHost: a\r\nX-A: " + b"a" * 100_000 + b"\r\n\r\n", 431),
    "many headers": (
        b"GET / HTTP/1.1\r\nHost: a\r\n" + b"".join(b"X-%d: a\r\n" % n for n in range(2_000)) + b"\r\n",
        431,
    ),
}


@pytest.mark.parametrize("what", LARGE)
def test_too_large_a_head_is_told_so_as_a_problem(stack: Stack, what: str) -> None:
    raw, status = LARGE[what]
    found = one(said(stack.url, raw))
    assert (found.status, found.problem()["code"]) == (status, "bad_request")


def test_a_problem_says_nothing_of_what_was_sent(stack: Stack) -> None:
    found = one(said(stack.url, b"GET /secret-thing\x01 HTTP/1.1\r\nBad header secret-thing\r\n\r\n"))
    assert b"secret-thing" not in found.body
    assert "secret-thing" not in (stack.logs / "serve.log").read_text()


HIDING: dict[str, Callable[[Stack], bytes]] = {
    "behind a length and chunks": lambda stack: post(
        stack, b"0\r\n\r\n" + post(stack, _BODY), b"Transfer-Encoding: chunked", length=b"4"
    ),
    "behind two lengths": lambda stack: post(stack, post(stack, _BODY), b"Content-Length: 0"),
    "behind a tabbed encoding": lambda stack: post(
        stack, b"0\r\n\r\n" + post(stack, _BODY), b"Transfer-Encoding:\tchunked", length=b"4"
    ),
    "behind an encoding in a fold": lambda stack: post(
        stack, b"0\r\n\r\n" + post(stack, _BODY), b"Transfer-Encoding:\r\n chunked", length=b"4"
    ),
    "in a chunk with junk after its size": lambda stack: post(
        stack, b"5;a\nb\r\nhello\r\n0\r\n\r\n" + post(stack, _BODY), b"Transfer-Encoding: chunked", length=b""
    ),
    "behind a chunk that is longer than it says": lambda stack: post(
        stack, b"2\r\nhello\r\n0\r\n\r\n" + post(stack, _BODY), b"Transfer-Encoding: chunked", length=b""
    ),
    "behind a chunk's size with a sign": lambda stack: post(
        stack, b"+5\r\nhello\r\n0\r\n\r\n" + post(stack, _BODY), b"Transfer-Encoding: chunked", length=b""
    ),
    "behind a bare line feed": lambda stack: post(
        stack, b"5\nhello\n0\n\n" + post(stack, _BODY), b"Transfer-Encoding: chunked", length=b""
    ),
}


@pytest.mark.parametrize("how", HIDING)
def test_no_request_hides_in_another(stack: Stack, how: str) -> None:
    before = payments(stack)
    found = one(said(stack.url, HIDING[how](stack)))
    assert 400 <= found.status < 500
    found.problem()
    assert payments(stack) == before


def test_a_chunked_body_is_a_body(stack: Stack) -> None:
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (_BODY[:7], _BODY[7:])) + b"0\r\n\r\n"
    raw = post(stack, chunks, b"Transfer-Encoding: chunked", b"Connection: close", length=b"")
    assert one(said(stack.url, raw)).status == 201


JSON = {
    "ten thousand digits": (b'{"amount":' + b"9" * 10_000 + b',"currency":"KES"}', "invalid_json"),
    "four thousand digits": (b'{"amount":' + b"9" * 4_000 + b',"currency":"KES"}', "amount_invalid"),
    "a large exponent": (b'{"amount":1e400,"currency":"KES"}', "amount_invalid"),
    "deep lists": (b'{"amount":' + b"[" * 30_000 + b"]" * 30_000 + b"}", "invalid_json"),
    "deep objects": (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "invalid_json"),
    "many keys": (b"{" + b",".join(b'"k%d":1' % n for n in range(6_000)) + b"}", None),
}


@pytest.mark.parametrize("what", JSON)
def test_a_monstrous_body_is_refused_as_what_it_is(stack: Stack, what: str) -> None:
    body, code = JSON[what]
    found = one(said(stack.url, post(stack, body, b"Connection: close")))
    assert found.status == 400
    assert code is None or found.problem()["code"] == code


@pytest.mark.parametrize("depth", [100_000, 1_000_000])
def test_depth_beyond_the_largest_body_is_refused_by_its_size(stack: Stack, depth: int) -> None:
    found = said(stack.url, post(stack, b"[" * depth, b"Connection: close"))
    assert [(each.status, each.problem()["code"]) for each in found] == [(413, "body_too_large")]


@pytest.mark.parametrize("chunked", [False, True])
def test_a_hundred_megabytes_are_refused_early_and_not_read(stack: Stack, chunked: bool) -> None:
    size = 100_000_000
    head = post(
        stack, b"", *([b"Transfer-Encoding: chunked"] if chunked else []), length=b"" if chunked else b"%d" % size
    )
    began, sent = time.monotonic(), 0
    with dialled(stack.url) as wire:
        piece = (b"10000\r\n" + b"x" * 65_536 + b"\r\n") if chunked else b"x" * 65_536
        wire.sendall(head)
        try:
            while sent < size:
                sent += wire.send(piece[sent % len(piece) :])
        except ConnectionError:
            pass
        else:
            raise AssertionError("all of it was taken")
        assert sent < size / 4
        found = heard(wire)
    assert time.monotonic() - began < 14
    # Where the line was cut while bytes were on their way, the answer may be lost with it.
    assert [each.status for each in answers(found)] in ([413], [])


def test_a_hundred_megabytes_that_wait_for_leave_are_refused_by_their_length(stack: Stack) -> None:
    with dialled(stack.url) as wire:
        wire.sendall(post(stack, b"", length=b"100000000"))
        found = answers(heard(wire))
    assert one(found).problem()["code"] == "body_too_large"


def test_slow_heads_are_let_go_and_others_are_served(stack: Stack) -> None:
    wires = [dialled(stack.url, within_s=30) for _ in range(6)]
    try:
        for wire in wires:
            wire.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Slow: ")
        began = time.monotonic()
        assert stack.shop.call("GET", "/readyz").status == 200
        # Six of them held two threads, each for half a silent second.
        assert time.monotonic() - began < 6
        for wire in wires:
            found = one(answers(heard(wire)))
            assert (found.status, found.problem()["code"]) == (408, "bad_request")
    finally:
        for wire in wires:
            wire.close()


def test_refused_lines_that_nobody_hangs_up_keep_nobody_waiting(stack: Stack) -> None:
    wires = [dialled(stack.url) for _ in range(10)]
    try:
        for wire in wires:
            wire.sendall(b"nonsense\r\n\r\n")
        began = time.monotonic()
        assert stack.shop.call("GET", "/readyz").status == 200
        assert time.monotonic() - began < 5
    finally:
        for wire in wires:
            wire.close()


def test_a_head_that_dribbles_is_let_go_as_well(stack: Stack) -> None:
    began = time.monotonic()
    with dialled(stack.url, within_s=0.1) as wire:
        wire.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Slow: ")
        found = b""
        while not found and time.monotonic() - began < 20:
            try:
                wire.sendall(b"a")
                found = wire.recv(65_536)
            except TimeoutError:
                continue
    assert one(answers(found)).status == 408
    assert time.monotonic() - began < 10


def test_a_body_that_stops_is_let_go_as_well(stack: Stack) -> None:
    with dialled(stack.url) as wire:
        wire.sendall(post(stack, _BODY[:10], length=b"%d" % len(_BODY)))
        found = one(answers(heard(wire)))
    assert (found.status, found.problem()["code"]) == (408, "bad_request")


def test_a_client_that_leaves_in_the_middle_harms_nobody(stack: Stack) -> None:
    for cut in (1, 30, 120, len(post(stack, _BODY)) - 5):
        with dialled(stack.url) as wire:
            wire.sendall(post(stack, _BODY)[:cut])
    assert stack.shop.call("GET", "/readyz").status == 200
    log = (stack.logs / "serve.log").read_text()
    assert "Traceback" not in log
    assert "request broke" not in log
