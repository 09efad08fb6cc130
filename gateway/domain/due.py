"""Due work: what each kind is called, which queue it goes through, and how long a worker may be at it."""

from __future__ import annotations

#: Kind → (queue, lease in seconds). A lease is longer than the longest call that the work makes, so that a live worker
#: keeps its row and a dead one's comes back. Queues are claimed in the order of QUEUES.
KINDS: dict[str, tuple[str, int]] = {
    "attempt.submit": ("pay", 90),
    "payout.submit": ("pay", 90),
    "refund.submit": ("pay", 90),
    "payout.repeat": ("pay", 90),
    "attempt.look_up": ("ask", 90),
    "refund.look_up": ("ask", 90),
    "payout.look_up": ("ask", 90),
    "callback.weigh": ("ask", 60),
    "money.settle": ("ask", 60),
    "money.look_up": ("ask", 90),
    "connection.pull": ("ask", 300),
    "connection.balance": ("ask", 90),
    "connection.check": ("tend", 60),
    "own.submit": ("pay", 90),
    "own.look_up": ("ask", 90),
    "receipt.offer": ("tend", 60),
    "statement.settle": ("tend", 300),
    "webhook.deliver": ("send", 60),
    "webhook.deliver_slowly": ("slow", 60),
    "webhook.replay": ("tend", 60),
    "attempt.window": ("tend", 60),
    "attempt.give_up": ("tend", 60),
    "payment.expire": ("tend", 60),
    "receipt.release": ("tend", 60),
    "payout.give_up": ("tend", 60),
    "owed.sweep": ("tend", 60),
    "housekeeping": ("tend", 300),
    "conversion.open": ("tend", 60),
    "conversion.deliver": ("pay", 90),
    "sighting.take_back": ("tend", 60),
    "conversion.fund": ("pay", 90),
    "wallet.send": ("pay", 90),
    "payout.fund": ("pay", 90),
}

#: How long the way through a queue may take before a row is sent again: an emptied Redis costs so much.
DISPATCH_LEASE_S = 4

#: Of one lane (a connection, an endpoint) at most so many rows are on their way in a queue at a time, where nobody says
#: how many workers it has: one that hangs must never keep all of them. At `slow` one has the lane's only worker.
SHARES = {"pay": 2, "ask": 2, "send": 2, "slow": 1, "tend": 1}

#: The queues, the most urgent first.
QUEUES = ("pay", "ask", "send", "slow", "tend")
