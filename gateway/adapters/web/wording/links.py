"""What the page of a payment link says, in each language. The Swahili has yet to be read by a native speaker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.adapters.web.wording.forms import Lang, Say


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkWording:
    """One language: `closed` by why the link takes no payment; curly words are filled in and set in bold."""

    open: Say
    typed: Say
    closed: Mapping[str, Say]
    amount: str
    between: str
    at_least: str
    at_most: str
    go_on: str
    amount_invalid: str
    refused: str


LINK_WORDINGS: Mapping[Lang, LinkWording] = {
    Lang.EN: LinkWording(
        open=Say(
            headline="Pay {shop}",
            fact="You pay {amount} to {shop}.",
            todo="Go on, and enter the M-Pesa number that will pay.",
        ),
        typed=Say(
            headline="Pay {shop}",
            fact="You choose how much you pay to {shop}.",
            todo="Enter the amount; on the next page you enter the M-Pesa number that will pay.",
        ),
        closed={
            "inactive": Say(
                headline="This link is closed",
                fact="{shop} takes no payments by this link at the moment.",
                todo="If you still want to pay, ask the shop for another link.",
            ),
            "expired": Say(
                headline="This link has expired",
                fact="The time to pay {shop} by this link is over.",
                todo="If you still want to pay, ask the shop for another link.",
            ),
            "used_up": Say(
                headline="This link was used",
                fact="This link has made all the payments that {shop} wanted.",
                todo="If you are paying already, open that page again. If not, ask the shop for another link.",
            ),
        },
        amount="Amount in {currency}",
        between="From {least} to {most}.",
        at_least="At least {least}.",
        at_most="At most {most}.",
        go_on="Go on to pay",
        amount_invalid="Write the amount in figures, for example 1500.",
        refused="This can’t be paid now. Ask the shop.",
    ),
    Lang.SW: LinkWording(
        open=Say(
            headline="Lipa {shop}",
            fact="Unalipa {amount} kwa {shop}.",
            todo="Endelea, kisha weka nambari ya M-Pesa itakayolipa.",
        ),
        typed=Say(
            headline="Lipa {shop}",
            fact="Unachagua kiasi utakacholipa kwa {shop}.",
            todo="Weka kiasi; kwenye ukurasa unaofuata utaweka nambari ya M-Pesa itakayolipa.",
        ),
        closed={
            "inactive": Say(
                headline="Kiungo hiki kimefungwa",
                fact="{shop} haipokei malipo kwa kiungo hiki kwa sasa.",
                todo="Ikiwa bado unataka kulipa, omba duka kiungo kingine.",
            ),
            "expired": Say(
                headline="Muda wa kiungo hiki umeisha",
                fact="Muda wa kulipa {shop} kwa kiungo hiki umeisha.",
                todo="Ikiwa bado unataka kulipa, omba duka kiungo kingine.",
            ),
            "used_up": Say(
                headline="Kiungo hiki kimetumika",
                fact="Kiungo hiki kimefanya malipo yote ambayo {shop} ilitaka.",
                todo="Ikiwa tayari unalipa, fungua ukurasa huo tena. Ikiwa sivyo, omba duka kiungo kingine.",
            ),
        },
        amount="Kiasi kwa {currency}",
        between="Kuanzia {least} hadi {most}.",
        at_least="Angalau {least}.",
        at_most="Isizidi {most}.",
        go_on="Endelea kulipa",
        amount_invalid="Andika kiasi kwa tarakimu, kwa mfano 1500.",
        refused="Haiwezi kulipwa sasa. Uliza duka.",
    ),
}
