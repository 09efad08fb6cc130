"""`python -m gateway.signer`: the process that holds keys. It reads an environment of its own, and no database.

GATEWAY_SIGNER_FOLDER      keys, rules.json, book.jsonl: this user's alone
GATEWAY_SIGNER_KEY         id:base64[,id:base64…], the current one first; or GATEWAY_SIGNER_KEY_FILE
GATEWAY_SIGNER_SECRET      what callers prove to know; or GATEWAY_SIGNER_SECRET_FILE
GATEWAY_SIGNER_SOCKET      where it listens
GATEWAY_SIGNER_UIDS        who may connect, by number; its own user when unset
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock, Thread

import click

from gateway.adapters.persistence.vault import Vault
from gateway.signer.book import Book, BookBroken
from gateway.signer.keys import KeyStore, KeyTrouble
from gateway.signer.rules import Rules, RulesBroken
from gateway.signer.server import Door, serve
from gateway.signer.service import Signer


class Unset(Exception):
    """A setting is missing or wrong; the sentence says which."""


def _clock() -> datetime:
    return datetime.now(UTC)  # a process of its own: a test clock has no say over a day's limit


def setting(name: str, environ: Mapping[str, str] = os.environ) -> str:
    """A setting, or what the file that it names holds. Raises Unset."""
    if path := environ.get(f"{name}_FILE", "").strip():
        try:
            return Path(path).read_text().strip()
        except OSError as trouble:
            raise Unset(f"{name}_FILE can't be read: {type(trouble).__name__}") from None
    if value := environ.get(name, "").strip():
        return value
    raise Unset(f"{name} is not set; see docs/operators.md")


def _folder() -> Path:
    folder = Path(setting("GATEWAY_SIGNER_FOLDER"))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_mode & 0o077:
        raise Unset(f"{folder} may be read by others: chmod 700")
    return folder


def _keys() -> KeyStore:
    try:
        masters = dict(Vault.of(setting("GATEWAY_SIGNER_KEY")).masters)
    except ValueError as wrong:
        raise Unset(f"GATEWAY_SIGNER_KEY: {wrong}") from None
    return KeyStore(folder=_folder(), masters=masters)


def signer() -> Signer:
    """A signer of this environment. Raises Unset, RulesBroken, BookBroken."""
    folder = _folder()
    book = Book(path=folder / "book.jsonl", clock=_clock)
    book.open()
    return Signer(keys=_keys(), rules=Rules.read(folder / "rules.json"), book=book, lock=Lock())


@click.group()
def main() -> None:
    """The process that holds keys."""


@main.command("run")
def run() -> None:
    """Listen, and sign what the rules allow. SIGTERM ends it after the signature at hand."""
    uids = os.environ.get("GATEWAY_SIGNER_UIDS", "")
    allowed = frozenset(int(one) for one in uids.split(",") if one.strip()) or frozenset({os.getuid()})
    door = Door(uids=allowed, secret=setting("GATEWAY_SIGNER_SECRET").encode())
    server = serve(Path(setting("GATEWAY_SIGNER_SOCKET")), signer(), door)
    for number in (signal.SIGTERM, signal.SIGINT):
        # shutdown() waits for the loop, which runs in this very thread.
        signal.signal(number, lambda *_: Thread(target=server.shutdown).start())
    click.echo("The signer listens.", err=True)
    server.serve_forever(poll_interval=0.1)


@main.group("key")
def key() -> None:
    """Keys: made, taken in, given out, wrapped again."""


@key.command("new")
def new() -> None:
    """Make a key; prints its address."""
    click.echo(_keys().make())


@key.command("import")
def import_() -> None:
    """Take in a private key, 64 hex digits on standard input; prints its address."""
    text = sys.stdin.readline().strip().removeprefix("0x")
    try:
        private = bytes.fromhex(text)
    except ValueError:
        raise KeyTrouble("a private key is 64 hex digits") from None
    click.echo(_keys().take_in(private))


@key.command("export")
@click.argument("address")
@click.option("--yes", is_flag=True, help="The key is printed; whoever sees it has the wallet.")
def export(address: str, yes: bool) -> None:
    """Print a private key, for a backup."""
    if not yes:
        raise click.UsageError("say --yes: whoever sees the key has the wallet")
    store = _keys()
    click.echo(store.give_out(address.lower()).hex())
    book = Book(path=_folder() / "book.jsonl", clock=_clock)
    book.open()
    book.write({"what": "exported", "sender": address.lower()})


@key.command("list")
def list_() -> None:
    """Addresses that there is a key for."""
    for address in _keys().addresses():
        click.echo(address)


@key.command("rewrap")
def rewrap() -> None:
    """Wrap all data keys under the first master key; after that the others may go."""
    click.echo(f"{_keys().rewrap()} wrapped again")


@main.command("check")
def check() -> None:
    """Read the rules and the whole book; exit status 2 when either is broken."""
    one = signer()
    lines = sum(1 for _ in one.book.lines())
    click.echo(json.dumps({"keys": one.keys.addresses(), "chains": sorted(one.rules.chains), "book": lines}))


def run_main() -> None:
    """Run a command; what is wrong is a sentence and exit status 2."""
    try:
        main(prog_name="python -m gateway.signer")
    except (Unset, RulesBroken, BookBroken, KeyTrouble) as wrong:
        click.echo(f"{type(wrong).__name__}: {wrong}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    run_main()
