"""QR codes of addresses, as SVG or PNG: made from the address alone, and never kept."""

from __future__ import annotations

from io import BytesIO

import segno
from flask import Response

#: Modules are drawn so many pixels wide in a PNG; four modules of quiet stand around, as the standard wants.
_SCALE = 10
_BORDER = 4
_TYPES = {"svg": "image/svg+xml", "png": "image/png"}


def qr_answer(address: str, form: str) -> Response:
    """The code of an address. `form` is `svg` or `png`; a quarter of it may be dirty and it is still read (level Q)."""
    out = BytesIO()
    segno.make(address, error="q", micro=False).save(out, kind=form, scale=_SCALE, border=_BORDER, light="#fff")
    return Response(out.getvalue(), 200, {"Cache-Control": "no-store"}, _TYPES[form])
