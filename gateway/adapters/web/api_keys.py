"""/v1/api_keys"""

from __future__ import annotations

from functools import cache
from uuid import UUID

from flask import Response, current_app, g
from flask.views import MethodView

from gateway.adapters.web.answers import answer
from gateway.adapters.web.blueprints import Blueprint
from gateway.adapters.web.desk import call, use_cases
from gateway.adapters.web.idempotency import idempotent
from gateway.adapters.web.ids import named
from gateway.adapters.web.schemas.api_keys import API_KEYS, ApiKeySchema, NewApiKeySchema, RollSchema
from gateway.adapters.web.schemas.base import list_query, listing
from gateway.application.api_keys import NewKey
from gateway.application.interfaces import Json, KeyFound
from gateway.domain.api_keys import KeyKind
from gateway.domain.ids import Prefix
from gateway.domain.scopes import scopes_of

blueprint = Blueprint(
    "api_keys", "/v1/api_keys", "Keys of the business: made, rolled with an overlap, revoked at once."
)

_EXAMPLE = {"kind": "restricted", "name": "Till at the counter", "scopes": ["payments:read", "payments:write"]}


def known_scopes() -> frozenset[str]:
    """Every scope: of each blueprint that stands behind a key."""
    return _scopes_of(tuple(name for name, found in current_app.blueprints.items() if isinstance(found, Blueprint)))


@cache
def _scopes_of(nouns: tuple[str, ...]) -> frozenset[str]:
    return frozenset(scopes_of(nouns))


def _key(text: str) -> UUID:
    return named(Prefix.API_KEY, text)


def _by() -> KeyFound:
    found: KeyFound = g.key
    return found


@blueprint.path("")
class ApiKeys(MethodView):
    """All keys of the business in the key's mode."""

    @blueprint.body(NewApiKeySchema(), example=_EXAMPLE)
    @blueprint.gives(201, ApiKeySchema())
    @idempotent(201)
    def post(self, body: Json) -> Json:
        """Create a key

        `secret` is shown in this answer alone. A restricted key makes restricted keys alone, with no more than it has.
        """
        command = NewKey(
            kind=KeyKind(body["kind"]),
            name=body["name"],
            scopes=tuple(body["scopes"]),
            addresses=tuple(body["addresses"]),
            expires_at=body.get("expires_at"),
        )
        return use_cases().api_keys.create(command, known_scopes(), _by(), call())

    @blueprint.query(listing("ApiKey", Prefix.API_KEY))
    @blueprint.gives(200, API_KEYS)
    def get(self, asked: Json) -> Response:
        """List keys, newest first, masked"""
        return answer(use_cases().api_keys.page(list_query(asked), _by(), call()))


@blueprint.path("/<key_id>")
class OneApiKey(MethodView):
    """One key."""

    @blueprint.gives(200, ApiKeySchema())
    def get(self, key_id: str) -> Response:
        """Read a key, masked"""
        return answer(use_cases().api_keys.get(_key(key_id), _by(), call()))


@blueprint.path("/<key_id>/roll")
class RollApiKey(MethodView):
    """A new key for an old one."""

    @blueprint.body(RollSchema(), required=False, example={"expires_in": 86400})
    @blueprint.gives(200, ApiKeySchema())
    @idempotent(200)
    def post(self, body: Json, key_id: str) -> Json:
        """Roll a key

        Gives a new one with the same rights. The old one works for `expires_in` seconds more.
        """
        return use_cases().api_keys.roll(_key(key_id), body["expires_in"], _by(), call())


@blueprint.path("/<key_id>/revoke")
class RevokeApiKey(MethodView):
    """The end of a key."""

    @blueprint.no_body()
    @blueprint.gives(200, ApiKeySchema())
    @idempotent(200)
    def post(self, key_id: str) -> Json:
        """Revoke a key

        It is refused everywhere within a second.
        """
        return use_cases().api_keys.revoke(_key(key_id), _by(), call())
