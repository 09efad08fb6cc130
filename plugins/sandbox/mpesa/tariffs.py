"""M-Pesa's limits and fees in whole shillings, as data.

Sources: limits, Daraja portal, December 2025; paybill tariff as published for 2024-25, excise included; B2C tariff form
of August 2023 (which ends at 150,000).
"""

PUSH_MIN, PUSH_MAX = 1, 250_000
B2C_MIN, B2C_MAX = 10, 250_000
B2B_MAX = 250_000
CUSTOMER_DAILY, CUSTOMER_BALANCE = 500_000, 500_000

# Up to this amount: this fee.
PAYBILL = (
    (100, 0), (500, 5), (1_000, 10), (1_500, 15), (2_500, 20), (3_500, 25), (5_000, 34), (7_500, 42), (10_000, 48),
    (15_000, 57), (20_000, 62), (25_000, 67), (30_000, 72), (35_000, 83), (40_000, 99), (45_000, 103), (250_000, 108),
)  # fmt: skip
# Payments between organisations: the fees are a contract's; these are ours.
B2B = PAYBILL
B2C = ((100, 0), (1_500, 5), (5_000, 9), (20_000, 11), (250_000, 13))


def till_fee(amount: int) -> int:
    """What a till pays for a payment, in cents: 0.55 per cent, rounded down."""
    return amount * 55 // 100


def fee(tariff: tuple[tuple[int, int], ...], amount: int) -> int:
    """The fee for an amount of whole shillings; beyond the table it is the last one's."""
    return next((charge for limit, charge in tariff if amount <= limit), tariff[-1][1])
