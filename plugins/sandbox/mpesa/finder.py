"""Finds pushes, payouts, payments and orders by what people know of them: the phone, a receipt, a conversation."""

from plugins.sandbox.mpesa.records import Order, Payment, Payout, Push


class Finder:
    """Indexes that can always be made again from the shelves. Not thread-safe: the simulator's lock guards it."""

    def __init__(self) -> None:
        self.push_of_receipt: dict[str, str] = {}
        self.payout_of: dict[str, str] = {}  # By receipt and by conversation.
        self.order_of: dict[str, str] = {}  # By receipt and by conversation.
        self._paid_to: dict[str, dict[str, Payment]] = {}
        self._open: dict[str, dict[str, None]] = {}
        self._paid_ms: dict[tuple[str, str, int], int] = {}
        self._received: dict[str, list[tuple[int, int]]] = {}

    def saw_push(self, push: Push) -> None:
        """Note a push as it now is."""
        open_here = self._open.setdefault(push.phone, {})
        if push.state == "open" and push.prompted:
            open_here[push.checkout_id] = None
        else:
            open_here.pop(push.checkout_id, None)
        if push.receipt and push.done_ms is not None:
            self.push_of_receipt[push.receipt] = push.checkout_id
            key = (push.shortcode, push.payer, push.amount)
            self._paid_ms[key] = max(push.done_ms, self._paid_ms.get(key, 0))

    def saw_payout(self, payout: Payout) -> None:
        """Note a payout as it now is."""
        self.payout_of[payout.conversation_id] = payout.originator_id
        if payout.receipt and payout.done_ms is not None and payout.receipt not in self.payout_of:
            self.payout_of[payout.receipt] = payout.originator_id
            self._received.setdefault(payout.phone, []).append((payout.done_ms, payout.amount))

    def saw_payment(self, payment: Payment) -> None:
        """Note a payment as it now is."""
        if payment.state == "paid":
            self._paid_to.setdefault(payment.organisation, {})[payment.receipt] = payment

    def saw_order(self, order: Order) -> None:
        """Note an order as it now is."""
        self.order_of[order.conversation_id] = order.originator_id
        if order.receipt:
            self.order_of[order.receipt] = order.originator_id

    def paid_to(self, number: str) -> list[Payment]:
        """What customers paid to an organisation, oldest first."""
        return list(self._paid_to.get(number, {}).values())

    def open_on(self, phone: str) -> list[str]:
        """The prompts that stand open on a phone, oldest first."""
        return list(self._open.get(phone, {}))

    def phones_with_prompts(self) -> list[str]:
        return [phone for phone, prompts in self._open.items() if prompts]

    def paid_ms(self, shortcode: str, payer: str, amount: int) -> int | None:
        """When this payer last paid this amount to this shortcode."""
        return self._paid_ms.get((shortcode, payer, amount))

    def received_since(self, phone: str, since_ms: int) -> int:
        """Shillings paid out to a phone since an instant."""
        return sum(amount for at_ms, amount in self._received.get(phone, []) if at_ms >= since_ms)
