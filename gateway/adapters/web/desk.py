"""How a view reaches what it needs: the use cases, the settings, and the call that it serves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from flask import Flask, current_app, g

from gateway.adapters.web.key_memory import KeyMemory
from gateway.adapters.web.limits import Guards
from gateway.adapters.web.settings import WebSettings
from gateway.application.interfaces import Call
from gateway.application.use_cases import UseCases

_NAME = "gateway"


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What one application holds for its views."""

    use_cases: UseCases
    settings: WebSettings
    guards: Guards
    find_key: KeyMemory


def furnish(app: Flask, desk: Desk) -> None:
    """Give the application its desk."""
    app.extensions[_NAME] = desk


def desk() -> Desk:
    """The desk of the application that serves this request."""
    return cast(Desk, current_app.extensions[_NAME])


def use_cases() -> UseCases:
    """Everything the system can do."""
    return desk().use_cases


def call() -> Call:
    """Who calls; only views behind `authenticate` may ask."""
    return cast(Call, g.call)
