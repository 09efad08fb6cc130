"""The shop's pages: a shelf, an order, and the door where news comes in."""

import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from plugins.sandbox.shop.orders import Memory
from plugins.sandbox.shop.till import Refused, Till, is_genuine

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_HERE = Path(__file__).parent
#: What is on the shelf: a name, its price in cents, and a word about it.
GOODS = {
    "coffee": ("Nyeri AA coffee, 500 g", 95_000, "Washed, medium roast"),
    "kikoi": ("Kikoi, hand-woven", 150_000, "Cotton from Lamu, 170 × 110 cm"),
    "basket": ("Kiondo basket", 280_000, "Sisal and leather"),
}
_BODY_MAX = 256 * 1024
_SECURE = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' http: https:",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class Shop:
    """The application. Orders are believed paid on signed news alone, never because somebody came back from a page."""

    def __init__(self, *, memory: Memory, till: Till, url: str) -> None:
        self._memory, self._till, self._url = memory, till, url
        self._pages = jinja2.Environment(loader=jinja2.FileSystemLoader(_HERE / "templates"), autoescape=True)
        self._pages.filters["shillings"] = lambda cents: f"KES {cents / 100:,.0f}"
        self._paths = Map(
            [
                Rule("/", endpoint="shelf", methods=["GET"]),
                Rule("/buy", endpoint="buy", methods=["POST"]),
                Rule("/orders/<number>", endpoint="order", methods=["GET"]),
                Rule("/hooks", endpoint="news", methods=["POST"]),
                Rule("/healthz", endpoint="health", methods=["GET"]),
                Rule("/static/shop.css", endpoint="style", methods=["GET"]),
            ]
        )

    def listen(self) -> None:
        """See to it that news reaches us: the endpoint of the last start is kept, another is made if it is gone."""
        url, endpoint = f"{self._url}/hooks", self._memory.recall("endpoint")
        if endpoint and self._till.still_listens(endpoint, url):
            return
        endpoint, secret = self._till.listen_at(url)
        self._memory.keep("secret", secret)
        self._memory.keep("endpoint", endpoint)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        request = Request(environ)
        request.max_content_length = _BODY_MAX
        try:
            endpoint, values = self._paths.bind_to_environ(environ).match()
            response: Response = getattr(self, f"_{endpoint}")(request, **values)
        except HTTPException as refused:
            response = Response(refused.get_body(environ), refused.code, content_type="text/html")
        response.headers.update(_SECURE)
        return response(environ, start_response)

    def _page(self, name: str, **values: object) -> Response:
        return Response(self._pages.get_template(name).render(**values), mimetype="text/html")

    def _health(self, _: Request) -> Response:
        return Response('{"status": "ok"}', mimetype="application/json")

    def _style(self, _: Request) -> Response:
        return Response((_HERE / "static" / "shop.css").read_text(), mimetype="text/css")

    def _shelf(self, _: Request) -> Response:
        return self._page("shelf.html", goods=GOODS, orders=self._memory.recent())

    def _buy(self, request: Request) -> Response:
        name = request.form.get("item", "")
        if name not in GOODS:
            raise NotFound
        item, cents, _ = GOODS[name]
        number = self._memory.order(item, cents)
        try:
            return redirect(self._till.page_for(number, item, cents, f"{self._url}/orders/{number}"), 303)
        except Refused as no:
            page = self._page("shelf.html", goods=GOODS, orders=self._memory.recent(), trouble=str(no))
            page.status_code = 502
            return page

    def _order(self, _: Request, number: str) -> Response:
        order = self._memory.find(number)
        if order is None:
            raise NotFound
        return self._page("order.html", order=order)

    def _news(self, request: Request) -> Response:
        body = request.get_data()
        headers = {name.lower(): value for name, value in request.headers.items()}
        if not is_genuine(self._memory.recall("secret") or "", headers, body, time.time()):
            return Response("not signed by our gateway", status=400)
        self._memory.take(headers["webhook-id"], json.loads(body))
        return Response(status=204)
