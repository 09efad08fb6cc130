"""The web application: everything that answers HTTP, put together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from gateway.adapters.web import (
    api_keys,
    balance,
    businesses,
    callbacks,
    checkout,
    checkout_page,
    cors,
    customers,
    docs_page,
    errors,
    events,
    headers,
    health,
    limits,
    link_page,
    metrics,
    openapi,
    payment_links,
    payments,
    payouts,
    quotes,
    rails,
    receipts,
    refunds,
    request_ids,
    request_log,
    requests,
    test_helpers,
    webhook_endpoints,
)
from gateway.adapters.web.bodies import BODY_MAX
from gateway.adapters.web.callback_door import CallbackDoor
from gateway.adapters.web.desk import Desk, furnish
from gateway.adapters.web.key_memory import KeyMemory
from gateway.adapters.web.key_use import KeyUse
from gateway.adapters.web.settings import WebSettings
from gateway.application.use_cases import UseCases

_NOUNS = (
    api_keys,
    businesses,
    payments,
    checkout,
    payouts,
    customers,
    balance,
    events,
    webhook_endpoints,
    payment_links,
    requests,
    receipts,
    refunds,
    quotes,
    rails,
)


def create_app(use_cases: UseCases, settings: WebSettings, *, limiter_url: str | None = None) -> Flask:
    """The application. `limiter_url` is a Redis database of the address limiter's own; None counts in memory."""
    app = _Plain("gateway.adapters.web", static_url_path="/static")
    app.config["MAX_CONTENT_LENGTH"] = BODY_MAX + 1
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    # `//v1/payments` is another path, not a redirect that would lose the body.
    app.url_map.merge_slashes = False
    request_ids.install(app, settings)
    request_log.install(app, settings.keep_requests)
    headers.install(app, settings)
    guards = limits.install(app, settings, limiter_url)
    # Asked for late: the pages need no keys, and are tried without.
    keep_use = KeyUse(keep=lambda keys: use_cases.doors.note_key_use(keys))
    find_key = KeyMemory(look_up=lambda key_hash, *named: use_cases.doors.api_key(key_hash, *named), used=keep_use)
    furnish(app, Desk(use_cases=use_cases, settings=settings, guards=guards, find_key=find_key))
    errors.register(app)
    _add_api(app, settings)
    cors.install(app)
    _add_pages(app, guards)
    door = CallbackDoor(app.wsgi_app, use_cases, settings, guards.unknown_callback)
    app.wsgi_app = door  # type: ignore[method-assign]
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign]
    return app


class _Plain(Flask):
    """No view and no hook here is a coroutine, so nobody need ask each of them, at every request, whether it is."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function as it is."""
        return func


def _add_api(app: Flask, settings: WebSettings) -> None:
    api = openapi.install(app, settings)
    for noun in _NOUNS:
        api.register_blueprint(noun.blueprint)
    api.register_blueprint(balance.business_blueprint)
    if settings.test_clock is not None:
        api.register_blueprint(test_helpers.blueprint)


def _add_pages(app: Flask, guards: limits.Guards) -> None:
    for pages in (health, docs_page, callbacks, metrics):
        app.register_blueprint(pages.blueprint)
    if guards.pages is not None:
        guards.pages(checkout_page.blueprint)
        guards.pages(link_page.blueprint)
    app.register_blueprint(checkout_page.blueprint)
    app.register_blueprint(link_page.blueprint)
