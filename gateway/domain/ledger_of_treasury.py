"""The accounts behind the shillings: pooled wallets, gas, what partners hold, and the middle of each exchange."""

from __future__ import annotations

from uuid import UUID

from gateway.domain.ids import Prefix, encode
from gateway.domain.ledger import Account, Class
from ports.money import Asset


def symbol_and_network(asset: Asset) -> tuple[str, str]:
    """`USDT.celo` is the token USDT on the network celo. Raises ValueError for an asset that is on no chain."""
    symbol, dot, network = asset.code.partition(".")
    if not (symbol and dot and network):
        raise ValueError(f"{asset.code} is on no chain")
    return symbol, network


def treasury(wallet_id: UUID, asset: Asset) -> Account:
    """Tokens in a pooled wallet, as far as the chain's own depth says that they are there."""
    symbol, network = symbol_and_network(asset)
    path = f"treasury:{network}:{symbol}:{encode(Prefix.WALLET, wallet_id)}"
    return Account(path=path, class_=Class.ASSET, asset=asset, title=f"{symbol} on {network}")


def gas(wallet_id: UUID, asset: Asset, network: str) -> Account:
    """The native coin that a wallet holds for fees."""
    path = f"gas:{network}:{encode(Prefix.WALLET, wallet_id)}"
    return Account(path=path, class_=Class.ASSET, asset=asset, title=f"Gas on {network}")


def clearing_in(connection_id: UUID, asset: Asset) -> Account:
    """A partner has the customers' money; what it owes us for it isn't here yet."""
    path = f"clearing:{encode(Prefix.CONNECTION, connection_id)}:in"
    return Account(path=path, class_=Class.ASSET, asset=asset, title="Collected by a partner")


def clearing_out(connection_id: UUID, asset: Asset) -> Account:
    """Sent to a partner, not yet seen at the other end."""
    path = f"clearing:{encode(Prefix.CONNECTION, connection_id)}:out:{asset.code}"
    return Account(path=path, class_=Class.ASSET, asset=asset, title="Sent to a partner")


def suspense_of_connection(connection_id: UUID, asset: Asset) -> Account:
    """Money that a partner has, or sent too much of, and that belongs to nobody known."""
    path = f"suspense:{encode(Prefix.CONNECTION, connection_id)}"
    return Account(path=path, class_=Class.LIABILITY, asset=asset, title="Suspense")


def suspense_of_tokens(asset: Asset) -> Account:
    """Tokens that came to one of our wallets and match nothing."""
    symbol, network = symbol_and_network(asset)
    return Account(path=f"suspense:{network}:{symbol}", class_=Class.LIABILITY, asset=asset, title="Suspense")


def charges_of(connection_id: UUID) -> Account:
    """What a conversion's partner keeps."""
    path = f"expense:charges:{encode(Prefix.CONNECTION, connection_id)}"
    return Account(path=path, class_=Class.EXPENSE, title="Provider charges")


def gas_spent(network: str, asset: Asset) -> Account:
    """Network fees, those of failed transactions too."""
    return Account(path=f"expense:gas:{network}", class_=Class.EXPENSE, asset=asset, title=f"Gas burnt on {network}")


def position(asset: Asset) -> Account:
    """The middle of each exchange: a credit in tokens is what we hold, a debit in fiat is what it cost."""
    return Account(
        path=f"fx:position:{asset.code}", class_=Class.EQUITY, asset=asset, title=f"Position in {asset.code}"
    )


REALISED = Account(path="fx:realised", class_=Class.REVENUE, title="Exchange gains and losses, realised")
