"""What the hosted pages say, as data: one file a language.

Curly words are filled in: `amount` is what is to be paid now, `whole` the order's, `received` and `extra` what came in,
`until` a time of day in Nairobi, and `shop`, `account`, `payer`, `receipt` what they say.
"""

from __future__ import annotations

from collections.abc import Mapping

from gateway.adapters.web.wording.english import ENGLISH
from gateway.adapters.web.wording.forms import Labels, Lang, Say, Trouble, Wording
from gateway.adapters.web.wording.swahili import SWAHILI

WORDINGS: Mapping[Lang, Wording] = {Lang.EN: ENGLISH, Lang.SW: SWAHILI}

__all__ = ["WORDINGS", "Labels", "Lang", "Say", "Trouble", "Wording"]
