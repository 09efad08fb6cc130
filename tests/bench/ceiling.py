"""The ceiling of `POST /v1/payments`: a bare Flask application that does one INSERT and commits, and nothing else."""

from __future__ import annotations

import os
import uuid

from flask import Flask, Response, request
from sqlalchemy import create_engine, text

app = Flask(__name__)
_engine = create_engine(os.environ["CEILING_DATABASE_URL"], pool_size=8)
_INSERT = text("INSERT INTO ceiling (id, amount, currency) VALUES (:id, :amount, :currency)")


@app.post("/v1/payments")
def create() -> Response:
    """One row, one commit, one small answer."""
    body = request.get_json()
    row = {"id": uuid.uuid4(), "amount": body["amount"], "currency": body["currency"]}
    with _engine.begin() as connection:
        connection.execute(_INSERT, row)
    return Response(f'{{"id": "{row["id"]}"}}', 201, mimetype="application/json")


@app.get("/readyz")
def ready() -> str:
    """Up."""
    return "ok"
