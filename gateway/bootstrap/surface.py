"""Payment links and the log of requests, joined."""

from __future__ import annotations

from sqlalchemy import Engine

from gateway.adapters.persistence.request_log import SqlRequestLog
from gateway.adapters.system import SystemChance
from gateway.application.interfaces import LinkDoor, OpenUnit, Providers
from gateway.application.payment_links import LinkUrl, ManageLinks, VisitLink


def links_of(unit: OpenUnit, providers: Providers, public_url: str) -> ManageLinks:
    """Links as a business keeps them."""
    return ManageLinks(unit=unit, chance=SystemChance(), url=LinkUrl(public_url), providers=providers)


def visits_of(unit: OpenUnit, doors: LinkDoor, providers: Providers) -> VisitLink:
    """Links as a visitor meets them."""
    return VisitLink(unit=unit, doors=doors, chance=SystemChance(), providers=providers)


def request_log_of(engine: Engine) -> SqlRequestLog:
    """Where web's notes go, and where an operator finds them."""
    return SqlRequestLog(engine=engine)
