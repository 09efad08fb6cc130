"""A connection's configuration as an operator sees and changes it: secrets go in, and are never shown again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gateway.application.interfaces import Json, OpenUnit
from gateway.application.money_in import house
from gateway.application.operators import Act, OperatorDesk
from gateway.application.representations import moment
from gateway.domain.connections import Connection
from gateway.domain.errors import Conflict, Invalid, NotFound
from gateway.domain.ids import Prefix, encode
from gateway.domain.maintenance import EAT

_HIDDEN = "••••"
#: Shorter secrets show nothing of themselves.
_SHOWS_FROM = 12

#: The JSON Schema of a registration code's configuration. Raises NotFound.
SchemaOf = Callable[[str], Mapping[str, object]]
#: Builds an adapter from a connection and a configuration, and throws it away. Raises Invalid.
Trial = Callable[[Connection, Mapping[str, object]], None]


def masked(value: object) -> str:
    """A secret as it is shown."""
    text = str(value)
    return _HIDDEN + text[-4:] if len(text) >= _SHOWS_FROM else _HIDDEN


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigureConnection:
    """Show, change, renew."""

    unit: OpenUnit
    desk: OperatorDesk
    schema_of: SchemaOf
    trial: Trial
    now: Callable[[], datetime]

    def show(self, connection_id: UUID) -> Json:
        """All that is kept of it, secrets masked. Raises NotFound."""
        connection = self._get(connection_id)
        secret = self._secrets(connection.code)
        return {
            "id": encode(Prefix.CONNECTION, connection.id),
            "object": "connection",
            "code": connection.code,
            "title": connection.title,
            "livemode": connection.livemode,
            "float": encode(Prefix.FLOAT, connection.float_id),
            "status": connection.state.value,
            "paused_for": connection.paused_for,
            "version": connection.version,
            "created": moment(connection.created),
            "updated": moment(connection.updated),
            "config": {n: masked(v) if n in secret else v for n, v in sorted(connection.config.items())},
            "policy": {**connection.policy.kept(), **connection.operation.kept()},
        }

    def change(self, connection_id: UUID, given: Mapping[str, object], act: Act) -> int:
        """Put `given` over what is kept; None takes a field away, and what isn't given stays. Gives the new version.

        A secret that is given as it was shown stays as it is. Raises Invalid with the JSON pointers of what is wrong,
        Conflict when somebody else changed it meanwhile.
        """
        connection = self._get(connection_id)
        secret, after = self._secrets(connection.code), dict(connection.config)
        for name, value in given.items():
            if name in secret and name in after and value == masked(after[name]):
                continue
            if value is None:
                after.pop(name, None)
            else:
                after[name] = value
        return self._keep(connection, after, act, "connection.set")

    def renew(self, connection_id: UUID, field: str, value: str, act: Act) -> int:
        """A new value for one secret field; where its day is kept beside it, that is today. Gives the new version."""
        connection = self._get(connection_id)
        if field not in self._secrets(connection.code):
            raise Invalid(f"/{field} is no secret of this kind of connection", code="field_unknown", param=f"/{field}")
        after = {**connection.config, field: value}
        day = f"{field}_set_on"
        if day in _properties(self.schema_of(connection.code)):
            after[day] = self.now().astimezone(EAT).date().isoformat()
        return self._keep(connection, after, act, "connection.rotate-secret")

    def _keep(self, connection: Connection, after: Mapping[str, object], act: Act, action: str) -> int:
        self.trial(connection, after)
        if self._get(connection.id).version != connection.version:
            raise Conflict("the connection has changed meanwhile; look at it again", code="stale_version")
        self.desk.directory.set_connection_config(connection.id, after, now=self.now())
        self.desk.note(act, action, connection.id)
        return self._get(connection.id).version

    def _get(self, connection_id: UUID) -> Connection:
        livemode = self.desk.directory.mode_of_connection(connection_id)
        with self.unit(house(livemode), read_only=True) as work:
            return work.connections.get(connection_id)

    def _secrets(self, code: str) -> frozenset[str]:
        """Without its plugin nobody knows what is secret, so nothing is shown. Raises NotFound."""
        found = _properties(self.schema_of(code))
        return frozenset(n for n, rule in found.items() if isinstance(rule, Mapping) and rule.get("secret") is True)


def _properties(schema: Mapping[str, object]) -> Mapping[str, object]:
    found = schema.get("properties")
    if not isinstance(found, Mapping):
        raise NotFound("the plugin publishes no schema of its configuration")
    return found
