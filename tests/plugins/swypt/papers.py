"""Bodies as Swypt's documentation prints them, February to July 2025, with the digits of people replaced."""

from __future__ import annotations

from typing import Any

Body = dict[str, Any]

WALLET = "0x" + "aB" * 20
TOKEN = "0x48065fbBE25f71C9282ddf5e1cD6D6A887483D5e"
ESCROW = "0x2816a02000B9845C464796b8c36B2D5D199525d5"
TX = "0x" + "1f" * 32


def rail_values(url: str) -> dict[str, str]:
    """A sandbox on-ramp of USDT on Celo."""
    return {
        "api_key": "5a" * 16,
        "api_secret": "c3" * 32,
        "base_url": url,
        "project": "mama-njeri",
        "network": "celo",
        "asset": "USDT.celo",
        "token_address": TOKEN,
        "token_decimals": "6",
        "wallet_address": WALLET,
    }


def channel_values(url: str) -> dict[str, str]:
    """A sandbox off-ramp of USDT on Celo."""
    return rail_values(url) | {"escrow_address": ESCROW, "escrow_abi": "B"}


QUOTE_IN: Body = {
    "statusCode": 200,
    "message": "Quote retrieved successfully",
    "data": {
        "inputAmount": "100",
        "outputAmount": 0.7738740133106331,
        "inputCurrency": "KES",
        "outputCurrency": "USDT",
        "exchangeRate": 129.22,
        "type": "onramp",
        "network": "lisk",
        "fee": {"feeInKES": 1, "estimatedOutputKES": 101},
        "limits": {"min": 1, "max": 10000, "currency": "KES"},
    },
}
QUOTE_OUT: Body = {
    "statusCode": 200,
    "message": "Quote retrieved successfully",
    "data": {
        "inputAmount": "0.2",
        "outputAmount": "25.8900",
        "inputCurrency": "USDT",
        "outputCurrency": "KES",
        "exchangeRate": 129.45,
        "type": "offramp",
        "network": "lisk",
        "fee": {
            "feeInInputCurrency": "0.007725",
            "currency": "USDT",
            "feeInOutputCurrency": 1,
            "estimatedOutputKES": 24.89,
            "decimals": 6,
        },
        "limits": {"min": 10, "max": 30000, "currency": "KES"},
    },
}
FEE_APRIL: Body = {
    "amount": 0.05,
    "currency": "USDT",
    "details": {"feeInKES": 6, "estimatedOutputKES": 261.72},
}
FEE_JUNE: Body = {"amount": "0.046432", "currency": "USDT", "estimatedOutputKES": 123.22, "decimals": 6}

QUOTE_BAD: Body = {
    "statusCode": 400,
    "message": "Invalid network",
    "error": "Unsupported network. Supported networks: Lisk, celo, Base, Polygon",
}
SERVER_ERROR: Body = {"error": "Internal server error"}

ASSETS: Body = {
    "networks": ["Lisk", "celo", "Base", "Polygon"],
    "fiat": ["KES", "USD"],
    "crypto": {
        "celo": [
            {"symbol": "USDT", "name": "Tether USD", "decimals": 6, "address": TOKEN},
            {
                "symbol": "cKES",
                "name": "Celo Kenyan Shilling",
                "decimals": 18,
                "address": "0x456a3D042C0DbD3db53D5489e98dFb038553B0d0",
            },
        ],
        "base": [
            {
                "symbol": "USDC",
                "name": "USD Coin",
                "decimals": 6,
                "address": "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913",
            }
        ],
    },
}

STARTED: Body = {
    "status": "success",
    "message": "STK Push initiated successfully",
    "data": {"orderID": "D-rclsg-VL", "message": "Success. Request accepted for processing"},
}


def error(message: str, **more: Any) -> Body:
    """`{"status":"error", …}`."""
    return {"status": "error", "message": message, **more}


def _status(status: str, message: str, order: str, **details: Any) -> Body:
    return {
        "status": "success",
        "data": {"status": status, "message": message, "orderID": order, "details": details},
    }


PAID = _status(
    "SUCCESS",
    "Deposit completed successfully",
    "D-ri3b1-7H",
    phoneNumber="254700000001",
    mpesaReceipt="TBF842GPCO",
    transactionDate="2025-02-15T08:33:38.000Z",
    resultDescription="Transaction initiated",
)
PENDING = _status(
    "PENDING",
    "Your deposit is being processed",
    "D-roug7-UT",
    phoneNumber="254700000001",
    mpesaReceipt="ws_CO_15022025083848183700000001",
    transactionDate="2025-02-15T08:38:48.000Z",
    resultDescription="Transaction initiated",
)
FAILED = _status(
    "FAILED",
    "Insufficient balance",
    "D-rm3qn-3Q",
    phoneNumber="254700000001",
    mpesaReceipt="ws_CO_15022025083640743700000001",
    transactionDate="2025-02-15T08:36:40.000Z",
    resultDescription="Insufficient balance",
)
CANCELLED = _status(
    "CANCELLED",
    "Unknown transaction status",
    "D-rclsg-VL",
    phoneNumber=254700000001,
    mpesaReceipt="ws_CO_15022025082917857700000001",
    transactionDate=1739597355087,
    resultDescription="Transaction cancelled by user",
)

DEPOSITED: Body = {
    "status": 200,
    "message": "Transaction processed successfully",
    "createdAt": "2025-07-01T08:00:00.000Z",
    "updatedAt": "2025-07-01T08:00:09.000Z",
    "hash": TX,
}

ORDERED: Body = {
    "status": "success",
    "message": "Withdrawal payment initiated successfully",
    "data": {"orderID": "WD-xsy6e-HO"},
}
TAKEN = error("This blockchain transaction has already been processed", data={"orderID": "WD-xsy6e-HO"})

_PAYEE = {
    "phoneNumber": "254700000001",
    "ReceiverPartyPublicName": "254700000001 - Full Name",
    "transactionSize": "20.00",
    "transactionSide": "withdraw",
    "initiatedAt": "2025-02-02T12:45:21.859Z",
}
OUT_PENDING = _status("PENDING", "Your withdrawal is being processed", "WD-xsy6e-HO", **_PAYEE)
OUT_PAID = _status(
    "SUCCESS",
    "Withdrawal completed successfully",
    "WD-xsy6e-HO",
    **_PAYEE,
    mpesaReceipt="TB21GOZTI9",
    completedAt="2025-02-02T15:45:23.000Z",
)
OUT_FAILED = _status(
    "FAILED",
    "Withdrawal failed",
    "WD-xsy6e-HO",
    **_PAYEE,
    failureReason="Transaction timeout",
    resultCode="1234",
)

DEPOSIT_ROW: Body = {
    "id": 28,
    "MpesaReceiptNumber": "TG18XQ2A4B",
    "TransactionDate": "2025-07-01T12:10:04.000Z",
    "cryptoAmount": "0.1621872103799815",
    "feeAmount": "1",
    "side": "onramp",
    "symbol": "USDT",
    "isSent": True,
    "createdAt": "2025-07-01T09:10:00.000Z",
    "Amount": 21,
    "orderID": "D-ri3b1-7H",
    "transactionID": TX,
    "PhoneNumber": 254700000001,
    "resultDescription": "Transaction initiated",
}
WITHDRAWAL_ROW: Body = {
    "id": 9,
    "TransactionAmount": 20,
    "TransactionReceipt": "TG10XQ2A4C",
    "ReceiverPartyPublicName": "254700000001 - Full Name",
    "TransactionCompletedDateTime": "2025-07-01T12:12:23.000Z",
    "transactionID": TX,
    "transactionSize": "20.00",
    "transactionFee": "0.007723",
    "transactionSide": "mama-njeri",
    "exchangeRate": "129.48",
    "createdAt": "2025-07-01T09:12:21.000Z",
    "chain": "celo",
    "isSent": True,
    "orderID": "WD-xsy6e-HO",
    "PhoneNumber": "254700000001",
    "resultDescription": "Transaction initiated",
}


def history(*rows: Body, page: int = 1, pages: int = 1) -> Body:
    """A page of a history."""
    told = {"currentPage": page, "limit": 10, "totalPages": pages, "totalCount": 10 * pages}
    return {"status": 200, "message": "Transactions retrieved successfully", "data": [*rows], "pagination": told}


NO_DEPOSITS = error("No transactions found for the given user address")
NO_WITHDRAWALS = error("No B2C transactions found for the given user address.")

TICKET: Body = {
    "status": "success",
    "data": {
        "refund": {
            "PhoneNumber": "254700000001",
            "Amount": "100",
            "Description": "paid, nothing delivered",
            "Side": "on-ramp",
            "userAddress": WALLET,
            "symbol": "USDT",
            "tokenAddress": TOKEN,
            "chain": "celo",
            "_id": "67e2a1b2c3d4e5f601234567",
            "createdAt": "2025-03-25T12:00:00.000Z",
        }
    },
}
