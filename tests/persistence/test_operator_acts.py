"""What the operator ends: a key, an alert. Each leaves an audit row."""

from __future__ import annotations

from hashlib import sha256
from uuid import UUID

import psycopg

from gateway import bootstrap, settings
from gateway.application.interfaces import Scope
from gateway.application.operators import Act
from gateway.domain.ids import Prefix, decode
from tests.servers import Database
from tests.stack import environment_of

ACT = Act(actor="tests", reason="because")


def test_a_revoked_key_opens_nothing_and_a_closed_alert_can_be_raised_again(database: Database) -> None:
    found = settings.read(environment_of(database, "redis://127.0.0.1:1", "http://127.0.0.1:9"))
    operator = bootstrap.Gateway(settings=found, role="operator")
    desk = operator.desk
    web = bootstrap.Gateway(settings=found, role="app")
    business = desk.add_business(desk.add_platform("Platform", ACT).id, "Shop", "SHOP", ACT)
    key, secret = desk.issue_key(business, livemode=False, name="key", act=ACT)
    assert web.doors.api_key(sha256(secret.encode()).digest()) is not None
    desk.revoke_key(key.id, ACT)
    assert web.doors.api_key(sha256(secret.encode()).digest()) is None

    for _ in range(2):
        with web.units(Scope(business_id=business.id, livemode=False)) as work:
            work.alerts.raise_("float_low", business.id, "a payout waits")
        (alert,) = desk.overview()["alerts"]
        desk.close_alert(decode(Prefix.ALERT, alert["id"]), ACT)
        assert desk.overview()["alerts"] == []
    assert _acts(database)[-1] == "alert.close"
    operator.close()
    web.close()


def _acts(database: Database) -> list[str]:
    with psycopg.connect(database.plain_url("owner")) as connection:
        rows: list[tuple[str, UUID]] = connection.execute("SELECT action, id FROM gateway.audit ORDER BY id").fetchall()
    return [action for action, _ in rows]
