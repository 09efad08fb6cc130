"""The simulated Swypt as its papers have the real one: shapes, refusals, doubles, histories, tickets."""

from __future__ import annotations

import re

import pytest

from plugins.sandbox.swypt.behaviours import CATALOGUE
from tests.plugins.sandbox.swypt.shopper import PHONE, USDT, WALLET, Shopper


class TestQuotes:
    """Prices."""

    def test_the_printed_on_ramp_quote(self, shopper: Shopper) -> None:
        body = {"type": "onramp", "amount": "100", "fiatCurrency": "KES", "cryptoCurrency": "USDT", "network": "celo"}
        status, found = shopper.call("quote", body=body)
        assert (status, found) == (
            200,
            {
                "statusCode": 200,
                "message": "Quote retrieved successfully",
                "data": {
                    "inputAmount": "100",
                    "outputAmount": pytest.approx(0.7738740133106331, rel=1e-14),
                    "inputCurrency": "KES",
                    "outputCurrency": "USDT",
                    "exchangeRate": 129.22,
                    "fee": {"feeInKES": 1, "estimatedOutputKES": 101},
                    "limits": {"min": 1, "max": 250_000, "currency": "KES"},
                    "type": "onramp",
                    "network": "celo",
                },
            },
        )

    def test_the_printed_off_ramp_quote(self, shopper: Shopper) -> None:
        body = {"type": "offramp", "amount": "0.2", "fiatCurrency": "KES", "cryptoCurrency": "USDT", "network": "celo"}
        data = shopper.call("quote", body=body | {"category": "B2C"})[1]["data"]
        assert (data["inputAmount"], data["outputAmount"], data["exchangeRate"]) == ("0.2", "25.8900", 129.45)
        assert data["fee"] == {
            "feeInInputCurrency": "0.007725",
            "currency": "USDT",
            "feeInOutputCurrency": 1,
            "estimatedOutputKES": 24.89,
            "decimals": 6,
        }

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"network": "tron"}, "Invalid network"),
            ({"cryptoCurrency": "DOGE"}, "Invalid currency"),
            ({"amount": "0"}, "Invalid amount"),
            ({"amount": "many"}, "Invalid amount"),
            ({"type": "sideways"}, "Invalid type"),
        ],
    )
    def test_refusals(self, shopper: Shopper, change: dict[str, str], message: str) -> None:
        body = {"type": "onramp", "amount": "100", "fiatCurrency": "KES", "cryptoCurrency": "USDT", "network": "celo"}
        status, found = shopper.call("quote", body=body | change)
        assert (status, found["statusCode"], found["message"]) == (400, 400, message)

    @pytest.mark.parametrize(("fee_shape", "field"), [("april", "details"), ("june", "estimatedOutputKES")])
    def test_older_shapes(self, shopper: Shopper, fee_shape: str, field: str) -> None:
        shopper.sandbox.control.settings(fee_shape=fee_shape, rate_shape="inverse", numbers="texts")
        for side in ("onramp", "offramp"):
            body = {"type": side, "amount": "10", "fiatCurrency": "KES", "cryptoCurrency": "USDT", "network": "celo"}
            data = shopper.call("quote", body=body)[1]["data"]
            assert field in data["fee"]
            assert float(data["exchangeRate"]) < 1
            assert isinstance(data["outputAmount"], str)

    def test_the_list_of_tokens(self, shopper: Shopper) -> None:
        bare = shopper.call("assets")[1]
        assert {one["symbol"] for one in bare["crypto"]["celo"]} == {"USDT", "USDC", "cKES"}
        assert [one["symbol"] for one in bare["crypto"]["base"]] == ["USDC"]
        shopper.sandbox.control.settings(assets_wrapped=True)
        assert shopper.call("assets")[1]["data"] == bare


class TestOnramp:
    """Prompts and what becomes of them."""

    def test_a_prompt_that_is_paid(self, shopper: Shopper) -> None:
        order = shopper.start()
        assert re.fullmatch(r"D-[a-z0-9]{5}-[A-Z0-9]{2}", order)
        told = shopper.told(order)
        assert (told["status"], told["message"]) == ("PENDING", "Your deposit is being processed")
        assert told["details"]["mpesaReceipt"].startswith("ws_CO_")
        assert told["details"]["mpesaReceipt"].endswith(PHONE[-9:])
        shopper.sandbox.control.decide(PHONE)
        shopper.sandbox.control.advance(1)
        told = shopper.told(order)
        assert (told["status"], told["message"]) == ("SUCCESS", "Deposit completed successfully")
        assert re.fullmatch(r"[A-Z0-9]{10}", told["details"]["mpesaReceipt"])
        assert told["details"]["resultDescription"] == "Transaction initiated"
        # A quarter of a second after noon in Nairobi, with the letter of another zone.
        assert told["details"]["transactionDate"] == "2026-11-24T12:00:00.000Z"

    @pytest.mark.parametrize(
        ("action", "pin", "status", "message"),
        [
            ("cancel", "", "CANCELLED", "Unknown transaction status"),
            ("pin", "0000", "FAILED", "The initiator information is invalid"),
            ("ignore", "", "FAILED", "DS timeout user cannot be reached"),
        ],
    )
    def test_a_prompt_that_is_not_paid(
        self, shopper: Shopper, action: str, pin: str, status: str, message: str
    ) -> None:
        order = shopper.start()
        shopper.sandbox.control.decide(PHONE, action, pin=pin or "1234")
        shopper.sandbox.control.advance(90)
        told = shopper.told(order)
        assert (told["status"], told["message"]) == (status, message)

    def test_each_call_is_a_prompt(self, shopper: Shopper) -> None:
        assert shopper.start() != shopper.start()
        assert shopper.sandbox.control.counts()["prompts"] == {PHONE: 2}

    @pytest.mark.parametrize(
        "change",
        [
            {"partyA": "0712345678"},
            {"amount": "1.5"},
            {"amount": ""},
            {"side": "off"},
            {"userAddress": ""},
            {"tokenAddress": "0x1"},
        ],
    )
    def test_what_is_missing_or_wrong_is_not_recorded(self, shopper: Shopper, change: dict[str, str]) -> None:
        body = {"partyA": PHONE, "amount": "9", "side": "onramp", "userAddress": WALLET, "tokenAddress": USDT}
        status, found = shopper.call("onramp", body=body | change)
        assert (status, found["message"]) == (400, "Failed to record the onramp transaction order")
        assert shopper.sandbox.control.counts()["prompts"] == {}

    def test_an_amount_may_come_as_a_number(self, shopper: Shopper) -> None:
        body = {"partyA": PHONE, "amount": 7, "side": "onramp", "userAddress": WALLET, "tokenAddress": USDT}
        assert shopper.call("onramp", body=body)[0] == 200

    def test_shapes_of_a_status(self, shopper: Shopper) -> None:
        order = shopper.paid()
        shopper.sandbox.control.settings(
            phones="number", times="epoch", words="padded", details_of_april=True, numbers="texts"
        )
        told = shopper.told(order)
        assert told["status"] == " Success "
        assert told["details"]["phoneNumber"] == int(PHONE)
        assert isinstance(told["details"]["transactionDate"], int)
        assert told["details"]["transactionHash"] == ""
        shopper.sandbox.control.settings(times="digits")
        assert shopper.told(order)["details"]["transactionDate"] == "20261124120000"

    @pytest.mark.parametrize("name", [name for name, (_, does) in CATALOGUE.items() if does.answer == "normal"])
    def test_a_magic_number_does_as_it_says(self, shopper: Shopper, name: str) -> None:
        ending, does = CATALOGUE[name]
        order = shopper.start(f"254700{ending:0>6}")
        shopper.sandbox.control.advance(600)
        assert shopper.told(order)["status"] == does.end


class TestDeposit:
    """The second step."""

    def test_it_is_done_once(self, shopper: Shopper) -> None:
        order = shopper.paid()
        status, found = shopper.deposit(order)
        assert (status, found["status"], found["message"]) == (200, 200, "Transaction processed successfully")
        assert re.fullmatch(r"0x[0-9a-f]{64}", found["hash"])
        status, found = shopper.deposit(order)
        assert (status, found["message"]) == (400, f"Transaction {order} has already been processed")
        effects = [entry["effect"] for entry in shopper.sandbox.control.journal(kind="effect")]
        assert effects == ["collected", "tokens invented"]

    def test_each_documented_refusal(self, shopper: Shopper) -> None:
        pending = shopper.start()
        failed = shopper.start("254700000001")
        shopper.sandbox.control.advance(2)
        refusals = [
            (shopper.deposit(""), "Missing required parameters: address or orderID"),
            (shopper.deposit(pending, address=""), "Missing required parameters: address or orderID"),
            (shopper.deposit("D-nosuc-NN"), "No transaction found for orderID: D-nosuc-NN"),
            (shopper.deposit(pending), f"Transaction {pending}: STK push payment is being processed"),
            (shopper.deposit(failed), f"Transaction {failed}: Payment failed"),
            (shopper.deposit(pending, chain="XYZ"), "Invalid chain: XYZ"),
        ]
        for (status, found), message in refusals:
            assert (status >= 400, found) == (True, {"status": "error", "message": message})
        paid = shopper.paid("254700000000")
        assert shopper.deposit(paid, chain="base")[1]["message"] == "base chain is not supported"

    def test_errors_may_arrive_as_200(self, shopper: Shopper) -> None:
        shopper.sandbox.control.settings(errors_as_200=True)
        assert shopper.deposit("D-nosuc-NN")[0] == 200
        assert shopper.call("assets", keys=False)[0] == 200

    def test_tokens_are_counted_at_the_rate_of_the_deposit(self, shopper: Shopper) -> None:
        order = shopper.paid(amount="129")
        shopper.sandbox.control.settings(drift_bps=1000)
        shopper.deposit(order)
        (kept,) = shopper.sandbox.control.get("orders")["orders"]
        assert kept["units"] == int(129 / (129.22 * 1.1) * 10**6)


class TestOfframp:
    """Payouts."""

    def test_a_payout(self, shopper: Shopper) -> None:
        status, found = shopper.order(shopper.escrow())
        assert (status, found["message"]) == (200, "Withdrawal payment initiated successfully")
        order = found["data"]["orderID"]
        assert re.fullmatch(r"WD-[a-z0-9]{5}-[A-Z0-9]{2}", order)
        assert shopper.call("offramp_status", order)[1]["data"]["status"] == "PENDING"
        shopper.sandbox.control.advance(2)
        told = shopper.call("offramp_status", order)[1]["data"]
        assert (told["status"], told["details"]["transactionSize"]) == ("SUCCESS", "24.89")
        # Done in a second, by two clocks that are three hours apart.
        assert told["details"]["initiatedAt"] == "2026-11-24T09:00:00.000Z"
        assert told["details"]["completedAt"].startswith("2026-11-24T12:00:0")

    def test_the_same_hash_gives_the_same_order(self, shopper: Shopper) -> None:
        tx = shopper.escrow()
        order = shopper.order(tx)[1]["data"]["orderID"]
        for code in (400, 409):
            shopper.sandbox.control.settings(duplicate_code=code)
            status, found = shopper.order(tx, phone="254712000002")
            assert (status, found["data"]) == (code, {"orderID": order})
            assert found["message"] == "This blockchain transaction has already been processed"
        assert len(shopper.sandbox.control.get("withdrawals")["withdrawals"]) == 1

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"hash": "0x1"}, "Missing required parameters: tokenAddress, hash, or phone number"),
            ({"partyB": "174379"}, "Missing required parameters: tokenAddress, hash, or phone number"),
            ({"tokenAddress": ""}, "Missing required parameters: tokenAddress, hash, or phone number"),
            ({"userAddress": ""}, "Missing required parameters: tokenAddress, hash, or phone number"),
            ({"chain": "tron"}, "Unsupported blockchain: tron"),
            ({"hash": "0x" + "12" * 32}, "Transaction not found in escrow"),
        ],
    )
    def test_refusals(self, shopper: Shopper, change: dict[str, str], message: str) -> None:
        status, found = shopper.order(shopper.escrow(), **change)
        assert (status >= 400, found["message"]) == (True, message)

    @pytest.mark.parametrize("is_refunded", [False, True])
    def test_a_payout_that_fails(self, shopper: Shopper, is_refunded: bool) -> None:
        phone = "254700006002" if is_refunded else "254700006001"
        order = shopper.order(shopper.escrow(), phone=phone)[1]["data"]["orderID"]
        shopper.sandbox.control.advance(2)
        told = shopper.call("offramp_status", order)[1]["data"]
        assert (told["status"], told["message"]) == ("FAILED", "Withdrawal failed")
        assert (told["details"]["failureReason"], told["details"]["resultCode"]) == ("Transaction timeout", "1234")
        (kept,) = shopper.sandbox.control.get("withdrawals")["withdrawals"]
        assert bool(kept["refund_tx"]) is is_refunded
        if not is_refunded:
            shopper.sandbox.control.post("refund", order=order)
            assert shopper.sandbox.control.get("withdrawals")["withdrawals"][0]["refund_tx"]


class TestHistory:
    """What a wallet did."""

    def test_nothing_is_an_error(self, shopper: Shopper) -> None:
        status, found = shopper.call("deposits", WALLET)
        assert (status, found["message"]) == (404, "No transactions found for the given user address")
        found = shopper.call("withdrawals", WALLET)[1]
        assert found == {"status": "error", "message": "No B2C transactions found for the given user address."}

    def test_rows_are_as_printed(self, shopper: Shopper) -> None:
        order = shopper.paid()
        (row,) = shopper.call("deposits", WALLET.lower())[1]["data"]
        assert (row["isSent"], row["Amount"], row["PhoneNumber"]) == (False, 100, int(PHONE))
        tx = shopper.deposit(order)[1]["hash"]
        (row,) = shopper.call("deposits", WALLET)[1]["data"]
        assert (row["isSent"], row["transactionID"], row["cryptoAmount"]) == (True, tx, "0.773874013310633")
        assert (row["createdAt"], row["TransactionDate"]) == ("2026-11-24T09:00:00.000Z", "2026-11-24T12:00:00.000Z")

    def test_pages(self, shopper: Shopper) -> None:
        orders = [shopper.start() for _ in range(23)]
        seen: list[str] = []
        for page in range(1, 5):
            found = shopper.call("deposits", WALLET, page=str(page))[1]
            assert found["pagination"] == {"currentPage": page, "limit": 10, "totalPages": 3, "totalCount": 23}
            seen += [row["orderID"] for row in found["data"]]
        assert seen == orders[::-1]
        shopper.sandbox.control.settings(pages="first")
        assert shopper.call("deposits", WALLET, page="3")[1]["pagination"]["currentPage"] == 1
        shopper.sandbox.control.settings(pages="endless")
        assert shopper.call("deposits", WALLET, page="9")[1]["pagination"]["totalPages"] == 10

    def test_another_wallet_has_rows_of_its_own(self, shopper: Shopper) -> None:
        shopper.start(userAddress="0x" + "77" * 20)
        assert shopper.call("deposits", WALLET)[0] == 404


class TestTickets:
    """Requests to people."""

    def test_which_orders_take_one(self, shopper: Shopper) -> None:
        failed = shopper.start("254700000001")
        paid = shopper.paid()
        body = {"orderID": failed, "description": "why"}
        status, found = shopper.call("onramp_ticket", body=body)
        assert (status, found["status"]) == (200, "success")
        assert re.fullmatch(r"[0-9a-f]{24}", found["data"]["refund"]["_id"])
        status, found = shopper.call("onramp_ticket", body={"orderID": paid, "description": "why"})
        assert found["message"] == "No failed transaction found with this orderID"
        pending = shopper.order(shopper.escrow())[1]["data"]["orderID"]
        assert shopper.call("offramp_ticket", body={"orderID": pending})[0] == 200
        shopper.sandbox.control.advance(2)
        found = shopper.call("offramp_ticket", body={"orderID": pending})[1]
        assert found["message"] == "No failed or pending transaction found with this orderID"

    def test_the_full_form(self, shopper: Shopper) -> None:
        full = {
            "phone": PHONE,
            "amount": "100",
            "description": "paid, nothing came",
            "side": "on-ramp",
            "userAddress": WALLET,
            "symbol": "USDT",
            "tokenAddress": USDT,
            "chain": "celo",
        }
        first, second = (shopper.call("onramp_ticket", body=full)[1]["data"]["refund"]["_id"] for _ in range(2))
        assert first != second
        _, found = shopper.call("onramp_ticket", body={**full, "symbol": ""})
        assert found["message"].startswith("Please provide all required inputs")
        assert shopper.call("onramp_ticket", body=full | {"side": "x"})[1]["message"].startswith("ValidationError")
