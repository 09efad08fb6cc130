"""The WSGI application: Daraja's paths, the control API, the shopper's phone, and cut connections."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.wrappers import Request, Response

from plugins.sandbox.mpesa import (
    announcements,
    b2b,
    b2c,
    balance,
    c2b,
    callbacks,
    control,
    hakikisha,
    oauth,
    orders,
    payments,
    phone,
    prompts,
    pull,
    push,
    query,
    reversal,
    status,
    views,
    wire,
)
from plugins.sandbox.mpesa.config import World
from plugins.sandbox.mpesa.gate import Call, Endpoint, serve
from plugins.sandbox.mpesa.simulator import Handler, Simulator

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

ENDPOINTS: dict[str, Endpoint] = {
    "/oauth/v1/generate": oauth.OAUTH,
    "/mpesa/stkpush/v1/processrequest": push.PUSH,
    "/mpesa/stkpushquery/v1/query": query.QUERY,
    "/mpesa/b2c/v1/paymentrequest": b2c.B2C_V1,
    "/mpesa/b2c/v3/paymentrequest": b2c.B2C,
    "/mpesa/transactionstatus/v1/query": status.STATUS,
    "/mpesa/accountbalance/v1/query": balance.BALANCE,
    "/mpesa/reversal/v1/request": reversal.REVERSAL,
    "/mpesa/b2b/v1/paymentrequest": b2b.B2B,
    "/sfcverify/v1/query/info": hakikisha.HAKIKISHA,
    **c2b.ENDPOINTS,
    **pull.ENDPOINTS,
}
FAMILIES = {
    "/mpesa/b2c": "b2c",
    "/mpesa/transactionstatus": "status",
    "/mpesa/accountbalance": "balance",
    "/mpesa/c2b": "c2b",
    "/mpesa/reversal": "reversal",
    "/mpesa/b2b": "b2b",
    "/pulltransactions": "pull",
    "/sfcverify": "pull",
}
HANDLERS: dict[str, Handler] = {
    "answer": prompts.on_answer,
    "prompt_end": prompts.on_prompt_end,
    "late": prompts.on_late,
    "settle": prompts.on_settle,
    "payout": b2c.on_payout,
    "status": status.on_status,
    "balance": balance.on_balance,
    "order": orders.on_order({"b2b": b2b.B2B_KIND, "reversal": reversal.REVERSAL_KIND}),
    "validated": payments.on_validated,
    "overtaken": announcements.on_overtaken,
    "post": callbacks.send,
}
BODY_LIMIT = 256 * 1024


class Hangup(ConnectionError):
    """The connection is cut here; the server sees it as a peer that went away, and closes without a word."""


def build(*, world: World, state_dir: Path, seed: int, frozen_at_ms: int | None = None) -> tuple[Simulator, "Web"]:
    """A simulator, not yet started, and its web face."""
    sim = Simulator(world=world, state_dir=state_dir, seed=seed, frozen_at_ms=frozen_at_ms, handlers=HANDLERS)
    return sim, Web(sim)


class Web:
    """The application of one simulator."""

    def __init__(self, sim: Simulator) -> None:
        self._sim = sim
        self._phone = phone.PhonePage(sim)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        request = Request(environ)
        request.max_content_length = BODY_LIMIT
        try:
            response = self._respond(request)
        except RequestEntityTooLarge:
            response = _json({"error": "too large"}, 413)
        except HTTPException as error:
            response = Response(error.description or "", status=error.code or 500)
        return response(environ, start_response)

    def _respond(self, request: Request) -> Response:
        path = request.path
        if path in ENDPOINTS:
            return self._daraja(request, ENDPOINTS[path])
        if path.startswith(("/mpesa/", "/oauth/", "/pulltransactions/", "/sfcverify/")):
            return self._no_resource(path)
        if path.startswith("/control/"):
            return self._control(request, path.removeprefix("/control/"))
        if path == "/healthz":
            return _json({"status": "ok"})
        return self._phone.respond(request)

    def _daraja(self, request: Request, endpoint: Endpoint) -> Response:
        call = Call(
            endpoint=endpoint.name,
            product=endpoint.product or endpoint.name,
            method=request.method,
            authorization=request.headers.get("Authorization", ""),
            content_type=request.headers.get("Content-Type", ""),
            raw=request.get_data(),
            args=dict(request.args),
        )
        reply = serve(self._sim, endpoint, call)
        if reply.delay_s:
            self._sim.stopping.wait(reply.delay_s)
        if reply.answer is None:
            raise Hangup
        return Response(reply.answer.text, status=reply.answer.status, content_type=reply.answer.content_type)

    def _no_resource(self, path: str) -> Response:
        family = next((name for head, name in FAMILIES.items() if path.startswith(head)), "push")
        with self._sim.turn():
            request_id = self._sim.ids.request_id(self._sim.settings.identifiers)
        answer = wire.error(404, wire.NOT_FOUND_CODES[family], "Resource not found", request_id)
        return Response(answer.text, status=404, content_type=answer.content_type)

    def _control(self, request: Request, path: str) -> Response:
        try:
            if request.method == "GET":
                return self._shown(request, path)
            if request.method == "DELETE" and path == "scripts":
                return _json(control.change(self._sim, "scripts/drop", {}))
            if request.method != "POST":
                raise views.Wrong("use GET or POST")
            try:
                body = json.loads(request.get_data() or b"{}")
            except ValueError as error:
                raise views.Wrong("the body is not JSON") from error
            return _json(control.change(self._sim, path, body))
        except views.Wrong as wrong:
            return _json({"error": str(wrong)}, wrong.status)

    def _shown(self, request: Request, path: str) -> Response:
        if path == "certificate":
            return Response(self._sim.keys.certificate_pem, content_type="application/x-pem-file")
        if path == "statement":
            name = f"statement-{request.args.get('shortcode', '')}.csv"
            text = views.read_statement(self._sim, dict(request.args))
            headers = {"Content-Disposition": f'attachment; filename="{name}"'}
            return Response(text, content_type="text/csv; charset=utf-8", headers=headers)
        if path == "journal" and request.args.get("format") == "jsonl":
            return Response(views.read_lines(self._sim), content_type="application/x-ndjson")
        return _json(views.read(self._sim, path, dict(request.args)))


def _json(payload: Any, status: int = 200) -> Response:
    return Response(json.dumps(payload, ensure_ascii=False), status=status, content_type="application/json")
