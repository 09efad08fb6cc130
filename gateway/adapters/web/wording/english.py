"""The pages in English."""

from __future__ import annotations

from gateway.adapters.web.wording.forms import Labels, Say, Trouble, Wording
from gateway.application.checkout import PageState

_STATES = {
    PageState.CHOOSE: Say(
        headline="Pay with M-Pesa",
        fact="Pay {amount} to {shop}.",
        todo="Enter the M-Pesa number that will pay.",
    ),
    PageState.SENDING: Say(
        headline="Sending the request",
        fact="Sending the request to {payer}…",
        todo="Keep that phone at hand.",
    ),
    PageState.DELAYED: Say(
        headline="Not sent yet",
        fact="M-Pesa isn’t taking our request at the moment, so we keep trying.",
        todo="Wait here, or come back later by the same link. You can also cancel.",
    ),
    PageState.WAITING: Say(
        headline="Check your phone",
        fact="Enter your M-Pesa PIN in the message from M-Pesa for {amount}, account {account}.",
        todo="Look at the amount and the account before you enter your PIN.",
    ),
    PageState.PERHAPS_WAITING: Say(
        headline="Has a message come?",
        fact="M-Pesa hasn’t told us whether the request has reached {payer}.",
        todo="If the message for {amount}, account {account}, comes, enter your M-Pesa PIN in it. "
        "Don’t pay another way meanwhile.",
    ),
    PageState.CONFIRMING: Say(
        headline="Asking M-Pesa",
        fact="The request has ended on your phone. We are asking M-Pesa what happened.",
        todo="If you entered your PIN, don’t pay again. Wait here, or leave and come back by the same link.",
    ),
    PageState.UNKNOWN: Say(
        headline="Not known yet",
        fact="M-Pesa hasn’t told us yet. Your money is safe: if it was taken, this order will be marked as paid "
        "by itself.",
        todo="Nobody is charged twice by waiting. You can leave, and open this page again at any time.",
    ),
    PageState.PLACE_TO_COME: Say(
        headline="One moment",
        fact="We are getting the number that you pay {amount} to.",
        todo="It comes up here by itself.",
    ),
    PageState.PAY_TO: Say(
        headline="Pay from your M-Pesa menu",
        fact="In M-Pesa choose Lipa na M-Pesa, then Pay Bill, and pay {amount} with account {account}.",
        todo="Write the account exactly so. This page shows your payment once it has come; that can take some minutes.",
    ),
    PageState.PAID: Say(
        headline="Paid",
        fact="M-Pesa receipt {receipt}.",
        todo="You can go back to the shop.",
    ),
    PageState.PAID_NUMBER_TO_COME: Say(
        headline="Paid",
        fact="The receipt number will follow.",
        todo="You can go back to the shop.",
    ),
    PageState.PAID_LATE: Say(
        headline="Paid late",
        fact="Your payment arrived after this page had expired. The shop has been told.",
        todo="You can go back to the shop.",
    ),
    PageState.WRONG_PIN: Say(
        headline="Wrong PIN",
        fact="The PIN was not right. Nothing was taken.",
        todo="Try again with the right PIN.",
    ),
    PageState.NO_MONEY: Say(
        headline="Not enough money",
        fact="There wasn’t enough money in that M-Pesa account. Nothing was taken.",
        todo="Add money and try again, or use another number.",
    ),
    PageState.CANCELED_ON_PHONE: Say(
        headline="Canceled on the phone",
        fact="You canceled on the phone. Nothing was taken.",
        todo="You can try again.",
    ),
    PageState.UNREACHABLE: Say(
        headline="No answer from that phone",
        fact="We couldn’t reach that phone, or nobody answered in time.",
        todo="Is it on, with network, and is it an M-Pesa number? Then try again, and answer one request only.",
    ),
    PageState.OVER_LIMIT: Say(
        headline="Over the limit",
        fact="That M-Pesa account may not pay this much now. Nothing was taken.",
        todo="Use another number, or try again tomorrow.",
    ),
    PageState.NOT_POSSIBLE: Say(
        headline="It didn’t go through",
        fact="M-Pesa refused this request, and took nothing for it.",
        todo="Try again, or use another number. If it is refused again, ask the shop.",
    ),
    PageState.PART_PAID: Say(
        headline="Partly paid",
        fact="We received {received} of {whole}.",
        todo="Pay the other {amount}.",
    ),
    PageState.EXPIRED: Say(
        headline="Time is up",
        fact="This page has expired, and nothing was paid here.",
        todo="To pay, go back to the shop and order again.",
    ),
    PageState.SHOP_CANCELED: Say(
        headline="Canceled",
        fact="This payment was canceled, and nothing was paid here.",
        todo="If you still want to pay, go back to the shop and order again.",
    ),
}

_PAY_AGAIN = Say(
    headline="Pay again?",
    fact="If your first payment also goes through, the extra {amount} will be offered back to you.",
    todo="It is safer to keep waiting. Pay again only if you are sure that you want to.",
)

_TROUBLES = {
    Trouble.NO_SUCH_PAGE: Say(
        headline="There is no such page",
        fact="This link opens no payment.",
        todo="Check the link that the shop gave you, or ask the shop for a new one.",
    ),
    Trouble.CROSS_SITE: Say(
        headline="Not from this page",
        fact="Another site asked for this, so we did nothing.",
        todo="Open the shop’s link yourself, and press the button there.",
    ),
    Trouble.UNREADABLE: Say(
        headline="We couldn’t read that",
        fact="What your browser sent couldn’t be read, so we did nothing.",
        todo="Open the shop’s link again.",
    ),
    Trouble.TOO_OFTEN: Say(
        headline="Too many visits",
        fact="Too many visits are coming from your network at the moment.",
        todo="Wait a minute, then open this page again. A payment under way goes on by itself.",
    ),
    Trouble.BROKEN: Say(
        headline="Something broke on our side",
        fact="We can’t show this payment at the moment.",
        todo="If you entered your PIN, don’t pay again. Open this page again in a minute.",
    ),
    Trouble.BUSY: Say(
        headline="Very busy",
        fact="We can’t show this payment at the moment.",
        todo="If you entered your PIN, don’t pay again. Open this page again in a minute.",
    ),
}

_LABELS = Labels(
    switch="Kiswahili",
    test_mode="Test mode: no real money moves.",
    items="What you are buying",
    phone="M-Pesa number",
    phone_hint="For example 0712 345 678",
    phone_echo="M-Pesa will ask {payer}.",
    pay="Pay {amount}",
    pay_again="Pay {amount} again",
    busy_button="Sending…",
    consent="I understand that both payments may go through.",
    open_until="You can pay here until {until}.",
    cancel="Cancel this payment",
    back="Back to the shop",
    going_back="We take you back to the shop in a few seconds.",
    save_receipt="Stay here and keep the receipt",
    print_receipt="Save or print",
    close_receipt="Close the receipt",
    check_now="Check again now",
    again="Pay again…",
    keep_waiting="Keep waiting",
    not_received="I didn’t get it",
    not_received_tips=(
        "Is the phone on, unlocked, and does it have network?",
        "Is it the phone with the number shown here?",
        "A message from M-Pesa may wait behind other windows.",
    ),
    ends_at="We wait for your answer until {until}. After that we ask M-Pesa, and tell you here what you can do.",
    row_amount="Amount",
    row_account="Account",
    row_phone="Phone",
    row_paybill="Paybill",
    row_till="Till",
    by_paybill="Pay by paybill instead",
    by_till="Pay to the till instead",
    by_phone="Get a message on my phone instead",
    to_place="Back to paying by myself",
    pay_to_till="In M-Pesa choose Lipa na M-Pesa, then Buy Goods, and pay {amount} to this till.",
    row_receipt="M-Pesa receipt",
    row_shop="Paid to",
    ending_in="number ending in",
    in_doubt="An earlier request is still undecided. If it goes through too, the extra {amount} will be offered "
    "back to you.",
    extra="We received {extra} more than the order asks for. It will be offered back to you.",
    later="M-Pesa takes another request from {until} on.",
    closed_part="This page is closed. Ask the shop about the rest.",
    pin_promise="We will never ask for your PIN on this page. Enter it only in M-Pesa’s own message.",
    contact="Questions? Ask {shop}:",
    reference="Reference to quote",
    offline="Your phone seems to be offline. Your payment isn’t affected; this page goes on with the network.",
    slow="We can’t see the latest at the moment. If you entered your PIN, don’t pay again.",
    phone_invalid="That is no Kenyan mobile number. Write it like 0712 345 678.",
    consent_missing="Tick this to pay again.",
    too_many="Too many requests to this number. Try again at {until}.",
    paused="M-Pesa payments are paused at the moment. No new request was sent to your phone. "
    "Try again in a few minutes.",
    busy="Too much is going on for this shop. No new request was sent to your phone. Try again in a moment.",
    refused="This payment can’t be made here, and no request was sent to your phone. Ask the shop.",
    open_page="Open the page again",
)

ENGLISH = Wording(states=_STATES, pay_again=_PAY_AGAIN, troubles=_TROUBLES, labels=_LABELS)
