"""Payment links: as a business keeps them, as a visitor pays by them, and as a phone's camera reads them."""

from __future__ import annotations

import re
import zlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import zxingcpp

from tests.api.world import PUBLIC_URL, World

LINK = {"amount": 50_000, "currency": "KES", "description": "Membership"}


def link_of(world: World, **more: Any) -> Any:
    return world.a.post("/v1/payment_links", {**LINK, **more})


def path_of(link: Any) -> str:
    assert link["url"].startswith(f"{PUBLIC_URL}/l/")
    return urlsplit(link["url"]).path


def token_in(page: str) -> str:
    found = re.search(r'name="token" value="([0-9a-f]{32})"', page)
    assert found
    return found.group(1)


def pay(world: World, link: Any, token: str | None = None, **form: str) -> Any:
    path = path_of(link)
    token = token or token_in(world.app.test_client().get(path).text)
    return world.app.test_client().post(path + "/pay", data={"token": token, **form})


def sessions(world: World) -> list[Any]:
    found: list[Any] = world.a.get("/v1/checkout/sessions?limit=100")["data"]
    return found


def uses(world: World, link: Any) -> int:
    found: int = world.a.get(f"/v1/payment_links/{link['id']}")["uses"]
    return found


def test_a_link_is_made_read_listed_and_changed_by_its_business_alone(world: World) -> None:
    link = link_of(world, metadata={"till": "3"})
    assert re.fullmatch(r"/l/[0-9a-f]{32}", path_of(link))
    assert (link["object"], link["status"], link["uses"], link["max_uses"]) == ("payment_link", "open", 0, None)
    assert world.a.get(f"/v1/payment_links/{link['id']}") == link
    assert link["id"] in [one["id"] for one in world.a.get("/v1/payment_links")["data"]]
    changed = world.a.call("PATCH", f"/v1/payment_links/{link['id']}", {"active": False, "description": None})
    assert (changed.json["status"], changed.json["description"]) == ("inactive", None)
    assert world.b.call("GET", f"/v1/payment_links/{link['id']}").status_code == 404
    assert world.b.call("PATCH", f"/v1/payment_links/{link['id']}", {"active": True}).status_code == 404


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"amount": 0}, "/amount"),
        ({"amount": 150}, "/amount"),
        ({"amount_min": 100}, "/amount"),
        ({"amount": None, "amount_min": 20_000, "amount_max": 10_000}, "/amount_min"),
        ({"max_uses": 0}, "/max_uses"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
        ({"success_url": "javascript:alert(1)"}, "/success_url"),
        ({"surprise": 1}, "/surprise"),
    ],
)
def test_what_can_not_be_a_link_is_refused_by_its_field(world: World, wrong: Any, param: str) -> None:
    answer = world.a.call("POST", "/v1/payment_links", {**LINK, **wrong})
    assert answer.status_code == 400, answer.json
    assert param in (answer.json["param"], *(one["param"] for one in answer.json["errors"]))


def test_each_visitor_gets_a_payment_of_their_own_and_looking_makes_none(world: World) -> None:
    link = link_of(world)
    before = len(sessions(world))
    for _ in range(3):
        page = world.app.test_client().get(path_of(link))
        assert page.status_code == 200
        assert "KES 500" in page.text
    assert len(sessions(world)) == before
    places = [pay(world, link).headers["Location"] for _ in range(2)]
    assert len(set(places)) == 2
    assert all(re.fullmatch(r"/c/[0-9a-f]{32}", place) for place in places)
    assert world.app.test_client().get(places[0]).status_code == 200
    made = sessions(world)[:2]
    assert len(sessions(world)) == before + 2
    assert {one["amount"] for one in made} == {50_000}
    payment = world.a.get(f"/v1/payments/{made[0]['payment']}")
    assert payment["metadata"]["payment_link"] == link["id"]
    assert payment["description"] == "Membership"
    assert uses(world, link) == 2


def test_a_form_that_is_sent_twice_makes_one_payment(world: World) -> None:
    link = link_of(world, max_uses=1)
    token = token_in(world.app.test_client().get(path_of(link)).text)
    first, second = (pay(world, link, token).headers["Location"] for _ in range(2))
    assert first == second
    assert uses(world, link) == 1


def test_max_uses_closes_it_also_when_all_come_at_once(world: World) -> None:
    link = link_of(world, max_uses=3)
    tokens = [token_in(world.app.test_client().get(path_of(link)).text) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        places = list(pool.map(lambda token: pay(world, link, token).headers["Location"], tokens))
    assert sum(place.startswith("/c/") for place in places) == 3
    assert sum(place.startswith("/l/") for place in places) == 5
    assert uses(world, link) == 3
    assert world.a.get(f"/v1/payment_links/{link['id']}")["status"] == "used_up"
    assert 'name="token"' not in world.app.test_client().get(path_of(link)).text
    assert world.a.call("PATCH", f"/v1/payment_links/{link['id']}", {"max_uses": 2}).status_code == 400
    world.a.call("PATCH", f"/v1/payment_links/{link['id']}", {"max_uses": 4})
    assert pay(world, link).headers["Location"].startswith("/c/")


def test_an_open_sum_is_typed_and_kept_within_its_bounds(world: World) -> None:
    link = link_of(world, amount=None, amount_min=10_000, amount_max=200_000)
    page = world.app.test_client().get(path_of(link)).text
    assert 'name="amount"' in page
    assert "From KES 100 to KES 2,000." in page
    for typed in ("", "abc", "99", "2001", "-5", "1e3", "500.505", "1,50", "NaN", "٥٠٠"):
        refused = pay(world, link, amount=typed)
        assert refused.status_code == 422, typed
        assert 'aria-invalid="true"' in refused.text
    assert uses(world, link) == 0
    assert pay(world, link, amount="1,500").headers["Location"].startswith("/c/")
    assert sessions(world)[0]["amount"] == 150_000
    assert pay(world, link, amount="500.00").status_code == 303


def test_an_ended_link_says_so_in_the_visitor_s_language(world: World) -> None:
    link = link_of(world, expires_at=(datetime.now(UTC) + timedelta(days=1)).isoformat())
    world.a.call("PATCH", f"/v1/payment_links/{link['id']}", {"expires_at": "2020-01-01T00:00:00Z"})
    english = world.app.test_client().get(path_of(link))
    swahili = world.app.test_client().get(path_of(link), headers={"Accept-Language": "sw"})
    assert "This link has expired" in english.text
    assert (swahili.headers["Content-Language"], "Muda wa kiungo hiki umeisha" in swahili.text) == ("sw", True)
    assert "<script" not in english.text


def test_strangers_and_other_sites_make_nothing(world: World) -> None:
    link, client = link_of(world), world.app.test_client()
    for path in ("/l/" + "0" * 32, "/l/x", "/l/", "/l/" + "0" * 32 + "/qr.svg", "/c/" + "0" * 32 + "/qr.png"):
        assert client.get(path).status_code == 404, path
    crossed = client.post(path_of(link) + "/pay", data={"token": "0" * 32}, headers={"Sec-Fetch-Site": "cross-site"})
    assert crossed.status_code == 403
    assert client.post(path_of(link) + "/pay", data={"token": "guess"}).status_code == 400
    assert client.get(path_of(link) + "/pay").headers["Location"] == path_of(link)
    assert uses(world, link) == 0
    page = client.get(path_of(link))
    assert page.headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]


def pixels_of(png: bytes) -> memoryview:
    """A PNG of one bit a pixel, as the codes are written, in bytes of grey."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    chunks: dict[bytes, bytes] = {}
    at = 8
    while at < len(png):
        size = int.from_bytes(png[at : at + 4])
        name = png[at + 4 : at + 8]
        chunks[name] = chunks.get(name, b"") + png[at + 8 : at + 8 + size]
        at += size + 12
    width, height = int.from_bytes(chunks[b"IHDR"][:4]), int.from_bytes(chunks[b"IHDR"][4:8])
    assert chunks[b"IHDR"][8] == 1
    palette = chunks.get(b"PLTE", b"\x00\x00\x00\xff\xff\xff")
    rows, step = zlib.decompress(chunks[b"IDAT"]), (width + 7) // 8 + 1
    grey, above = bytearray(), bytes(step - 1)
    for y in range(height):
        kind, *row = rows[y * step : (y + 1) * step]
        assert kind in (0, 2), "as it is, or as the difference from the row above"
        above = bytes((byte + (up if kind else 0)) & 255 for byte, up in zip(row, above, strict=True))
        grey += bytes(palette[(above[x // 8] >> (7 - x % 8) & 1) * 3] for x in range(width))
    return memoryview(bytes(grey)).cast("B", shape=(height, width))


def read(png: bytes) -> str:
    [found] = zxingcpp.read_barcodes(pixels_of(png))
    assert found.format == zxingcpp.BarcodeFormat.QRCode
    return str(found.text)


def test_a_stock_decoder_reads_the_link_and_the_session(world: World) -> None:
    link = link_of(world)
    session = world.a.post("/v1/checkout/sessions", {"amount": 20_000, "currency": "KES"})
    png = world.a.call("GET", f"/v1/payment_links/{link['id']}/qr.png")
    assert png.mimetype == "image/png"
    assert read(png.data) == link["url"]
    client = world.app.test_client()
    assert read(client.get(path_of(link) + "/qr.png").data) == link["url"]
    assert read(client.get(urlsplit(session["url"]).path + "/qr.png").data) == session["url"]
    svg = world.a.call("GET", f"/v1/payment_links/{link['id']}/qr.svg")
    assert (svg.mimetype, svg.data.lstrip()[:5] in (b"<?xml", b"<svg ")) == ("image/svg+xml", True)
    assert world.b.call("GET", f"/v1/payment_links/{link['id']}/qr.svg").status_code == 404
    assert client.get(path_of(link) + "/qr.gif").status_code == 404
