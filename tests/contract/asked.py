"""What the suites ask of a line, made to fit whatever it declares: references, payers, amounts, URLs."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

import pytest

from ports.callback import Door, Incoming
from ports.money import Money
from ports.registration import Capabilities, ReferenceForm
from tests.fakes.context import MORNING

#: Later than any prompt of these suites lives.
EXPIRES = MORNING + timedelta(hours=1)


def a_reference(form: ReferenceForm, number: int) -> str:
    """The reference of that number, in the declared form."""
    if form.uuid:
        return str(UUID(int=0x7A1E6C1E_9D0B_4B58_9D3E_000000000000 + number))
    digits, left = "", number
    while left or len(digits) < 6:
        left, digit = divmod(left, len(form.alphabet))
        digits = form.alphabet[digit] + digits
    return f"SHOP-{digits}" if form.tagged else digits


def a_phone(number: int) -> str:
    """A Kenyan number of its own for each try, so that no try waits for another's prompt."""
    return f"+2547123{number:05d}"


def at_least(capabilities: Capabilities) -> Money:
    """The smallest amount allowed."""
    return Money(units=capabilities.amount_min, asset=capabilities.assets[0])


def called(body: bytes, door: Door = Door.CALL, *, of_question: bool = False) -> Incoming:
    """A body as it comes by the URL of one call, or of a question of ours."""
    headers = {"content-type": "application/json"}
    return Incoming(body=body, door=door, of_question=of_question, headers=headers, peer="127.0.0.1")


@contextmanager
def nothing_outside(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Any connection made inside is a failure of the test."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a connection was opened")

    with monkeypatch.context() as patched:
        patched.setattr(socket.socket, "connect", refuse)
        patched.setattr(socket, "create_connection", refuse)
        patched.setattr(socket, "getaddrinfo", refuse)
        yield
