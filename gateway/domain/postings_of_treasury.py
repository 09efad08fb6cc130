"""The recipes of the treasury: tokens that came, that left, that went away again, and what they cost."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from gateway.domain import ledger
from gateway.domain import ledger_of_treasury as accounts
from gateway.domain.conversions import Conversion
from gateway.domain.ids import Prefix, encode
from gateway.domain.ledger import Account, Journal, Kind, Leg
from gateway.domain.payouts import Payout
from gateway.domain.postings import fee_accounts, meta_of
from gateway.domain.wallets import Sighting
from ports.money import KES, Asset


def chain_key(network: str, tx: str, position: int) -> str:
    """The name of one movement of tokens: it says nothing of the block, which may change."""
    return f"chain:{network}:{tx}:{position}"


def _legs(*wanted: tuple[Account, Account, int]) -> tuple[Leg, ...]:
    return tuple(Leg(debit=debit, credit=credit, units=units) for debit, credit, units in wanted if units)


def _journal(key: str, kind: Kind, livemode: bool, at: datetime, legs: tuple[Leg, ...], **meta: Any) -> Journal:
    return Journal(key=key, kind=kind, livemode=livemode, business_id=None, effective_at=at, legs=legs, meta=meta)


def tokens_booked(seen: Sighting, conversion: Conversion | None, at: datetime) -> Journal:
    """Tokens came, divided as the sighting says. Those of a conversion: treasury ← position, and what they cost leaves
    the partner's clearing. Others: treasury ← suspense.

    The first booking has the fact's own key; one after a reorganisation counts on.
    """
    ours = accounts.treasury(seen.wallet_id, seen.asset)
    key = chain_key(seen.network, seen.tx, seen.position)
    if seen.bookings > 1:
        key = f"{key}:again:{seen.bookings}"
    if conversion is None:
        legs = _legs((ours, accounts.suspense_of_tokens(seen.asset), seen.units))
        return _journal(key, Kind.TOKENS_IN, seen.livemode, at, legs)
    name = encode(Prefix.CONVERSION, conversion.id)
    legs = _legs(
        (ours, accounts.position(seen.asset), seen.kept_units),
        (ours, accounts.suspense_of_connection(conversion.connection_id, seen.asset), seen.surplus_units),
        *_paid_for(seen, conversion),
    )
    return _journal(key, Kind.TOKENS_IN, seen.livemode, at, legs, object=name, ref=name)


def tokens_assigned(seen: Sighting, conversion: Conversion, at: datetime) -> Journal:
    """Tokens in suspense turned out to be a conversion's: suspense → position, and what they cost."""
    held = accounts.suspense_of_tokens(seen.asset)
    name = encode(Prefix.CONVERSION, conversion.id)
    legs = _legs(
        (held, accounts.position(seen.asset), seen.kept_units),
        (held, accounts.suspense_of_connection(conversion.connection_id, seen.asset), seen.surplus_units),
        *_paid_for(seen, conversion),
    )
    key = f"{chain_key(seen.network, seen.tx, seen.position)}:assigned:{seen.bookings}"
    return _journal(key, Kind.TOKENS_IN, seen.livemode, at, legs, object=name, ref=name)


def _paid_for(seen: Sighting, conversion: Conversion) -> tuple[tuple[Account, Account, int], ...]:
    owed = accounts.clearing_in(conversion.connection_id, conversion.fiat.asset)
    return (
        (accounts.position(conversion.fiat.asset), owed, seen.cost_units),
        (accounts.charges_of(conversion.connection_id), owed, seen.fee_units),
    )


def tokens_between(seen: Sighting, source_id: UUID, at: datetime) -> Journal:
    """Tokens went from one of our wallets to another."""
    legs = _legs((accounts.treasury(seen.wallet_id, seen.asset), accounts.treasury(source_id, seen.asset), seen.units))
    return _journal(chain_key(seen.network, seen.tx, seen.position), Kind.TOKENS_IN, seen.livemode, at, legs)


def tokens_sent(
    network: str, tx: str, wallet_id: UUID, connection_id: UUID, asset: Asset, units: int, **more: Any
) -> Journal:
    """Tokens left for a partner, final on the chain: clearing out ← treasury."""
    legs = _legs((accounts.clearing_out(connection_id, asset), accounts.treasury(wallet_id, asset), units))
    return _journal(f"chain:{network}:{tx}:out", Kind.TOKENS_OUT, more.pop("livemode"), more.pop("at"), legs, **more)


def gas_burnt(
    network: str, tx: str, wallet_id: UUID, asset: Asset, units: int, *, livemode: bool, at: datetime
) -> Journal:
    """The network's fee of one transaction that we signed, whether or not it did anything."""
    legs = _legs((accounts.gas_spent(network, asset), accounts.gas(wallet_id, asset, network), units))
    return _journal(f"gas:{network}:{tx}", Kind.GAS, livemode, at, legs)


def taken_back(journal: Journal, block_hash: str, at: datetime) -> Journal:
    """The block that a movement was booked from went away: the same legs, the other way round."""
    legs = tuple(Leg(debit=leg.credit, credit=leg.debit, units=leg.units) for leg in journal.legs)
    meta = {**journal.meta, "reverses": journal.key}
    return _journal(f"{journal.key}:reorg:{block_hash}", Kind.REORGANISED, journal.livemode, at, legs, **meta)


def cost_of(units: int, position_tokens: int, position_fiat: int) -> int:
    """What `units` of tokens cost on average, rounded down; all of the cost when all tokens go.

    `position_tokens` is the credit of the token's position, `position_fiat` the debit of the fiat's.
    """
    if units >= position_tokens:
        return max(0, position_fiat)
    return max(0, position_fiat) * units // position_tokens


def realised(fiat_units: int, cost_units: int) -> tuple[tuple[Account, Account, int], ...]:
    """The leg of a gain (fiat above cost) or a loss, so that the position loses exactly the cost."""
    if fiat_units >= cost_units:
        return ((accounts.position(KES), accounts.REALISED, fiat_units - cost_units),)
    return ((accounts.REALISED, accounts.position(KES), cost_units - fiat_units),)


def payout_paid_from_chain(payout: Payout, conversion: Conversion, cost_units: int, at: datetime) -> Journal:
    """A payout was paid with tokens that had left before: reserved → position, the tokens out of the partner's hands,
    what it kept as our expense, and the exchange's gain or loss.

    The position gives `cost_units`, what the tokens cost on average. They fetched the payout's sum and the partner's
    fee.
    """
    reserved = ledger.bucket(payout.business_id, "reserved", payout.amount.asset)
    fiat = accounts.position(payout.amount.asset)
    legs = _legs(
        (reserved, fiat, payout.amount.units),
        *((reserved, account, units) for account, units in fee_accounts(payout.charge, "payout")),
        (accounts.charges_of(conversion.connection_id), fiat, conversion.fee.units),
        (
            accounts.position(conversion.tokens.asset),
            accounts.clearing_out(conversion.connection_id, conversion.tokens.asset),
            conversion.tokens.units,
        ),
        *realised(payout.amount.units + conversion.fee.units, cost_units),
    )
    payout_id = encode(Prefix.PAYOUT, payout.id)
    return Journal(
        key=f"payout:{payout_id}:outcome",
        kind=Kind.PAYOUT_OUTCOME,
        livemode=payout.livemode,
        business_id=payout.business_id,
        effective_at=at,
        legs=legs,
        meta=meta_of(payout_id, payout.charge),
    )
