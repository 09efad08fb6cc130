"""The channel's contract, kept by payments to organisations against the simulated M-Pesa."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from plugins.mpesa.b2b import B2B, MpesaB2b
from plugins.mpesa.codes import ORDER_CODES
from ports.money import Money
from ports.payout_channel import Destination, DestinationKind
from tests.contract.asked import a_reference
from tests.contract.payout_channel import ChannelLine, PayoutChannelContract
from tests.plugins.mpesa.simulated import SimulatedMpesa, simulated


def account_of(reference: str) -> str:
    """The account that is paid at the paybill: it tells one payout from the other, since nothing of ours travels."""
    return reference[-12:]


def paybill(number: int) -> Destination:
    """The paybill's account of that number."""
    account = account_of(a_reference(B2B.reference_form, number))
    return Destination(kind=DestinationKind.PAYBILL, account="600000", reference=account)


@dataclass(kw_only=True)
class SimulatedOrders(SimulatedMpesa):
    """B2B's side of the simulator, by the accounts that are paid."""

    def will_end(self, reference: str, code: str, *, claims: Money | None = None) -> None:
        end: dict[str, object] = {"endpoint": "b2b", "reference": account_of(reference), "code": code}
        if claims is not None:
            self.claimed[reference] = claims
        self.ends[reference] = end
        self.arm(end)

    def posted(self, name: str) -> list[bytes]:
        claimed = self.claimed.pop(name, None)
        bodies = super().posted(name)
        return bodies if claimed is None else [_claiming(body, claimed) for body in bodies]

    def payouts_of(self, reference: str) -> int:
        with self.server.sim.look():
            told = [order.request["AccountReference"] for order in self.server.sim.orders.values()]
        return told.count(account_of(reference))

    def payouts(self) -> int:
        with self.server.sim.look():
            return len(self.server.sim.orders)


def _claiming(body: bytes, claims: Money) -> bytes:
    found = json.loads(body)
    for one in found["Result"]["ResultParameters"]["ResultParameter"]:
        if one["Key"] == "Amount":
            one["Value"] = claims.units // 100
    return json.dumps(found).encode()


class TestB2b(PayoutChannelContract):
    """The B2B channel: a repeat pays again, and only Safaricom's id can be asked about."""

    @pytest.fixture
    def line(self, tmp_path: Path) -> Iterator[ChannelLine]:
        with simulated("b2b", tmp_path, made=SimulatedOrders) as mpesa:
            known = mpesa.credentials()
            names = ("consumer_key", "consumer_secret", "initiator_name", "initiator_password", "certificate_pem")
            values = {name: known[name] for name in names} | {
                "shortcode": known["b2b_shortcode"],
                "base_url": mpesa.url,
            }
            channel = MpesaB2b.build(values, mpesa.world.context)
            yield ChannelLine(
                channel=channel,
                capabilities=B2B,
                simulator=mpesa,
                codes={code: row.verdict.status for code, row in ORDER_CODES.items()},
                paid="0",
                unpaid="SFC_IC0003",
                invented="31337",
                private=(*(str(values[name]) for name in names[:4]), channel.operator.credential),
                to=paybill,
            )
