"""`python -m gateway keys`: master keys that encrypt, and a platform's own API keys."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

import click

from gateway.application.key_rotation import BATCH, Progress, RotateKeys
from gateway.application.operators import Act
from gateway.application.platform_keys import IssuePlatformKey
from gateway.domain.errors import Invalid
from gateway.domain.ids import Prefix, decode, encode


class HasKeys(Protocol):
    """A gateway of the operator's role."""

    @property
    def rotate_keys(self) -> RotateKeys:
        """The rotation."""

    @property
    def issue_platform_key(self) -> IssuePlatformKey:
        """Makes keys of platforms."""


class OperatorCli(Protocol):
    """What the commands get from the process."""

    def gateway(self, role: str) -> HasKeys:
        """The gateway of that role."""


@click.group("keys")
def keys() -> None:
    """Rotate the keys that encrypt; issue a platform's keys."""


@keys.command("rotate")
@click.option("--batch", type=click.IntRange(1, 10_000), default=BATCH, show_default=True, help="Rows a transaction.")
@click.pass_obj
def rotate(cli: OperatorCli, batch: int) -> None:
    """Seal everything again under the first master key of the settings. Killed anywhere, run it again."""

    def tell(progress: Progress) -> None:
        click.echo(f"{progress.place.table}.{progress.place.column}  {progress.done}")

    done = cli.gateway("operator").rotate_keys(tell, batch=batch)
    click.echo(f"Done: {done} values sealed again.")


@keys.command("status")
@click.pass_obj
def status(cli: OperatorCli) -> None:
    """Count what is sealed under which master key; exit status 1 while an older key is still needed."""
    rotation = cli.gateway("operator").rotate_keys
    found = rotation.status()
    for master, places in found.items():
        word = "current" if master == rotation.rows.current else "older"
        click.echo(f"{master}  {word}  {sum(places.values())}")
        for place, count in sorted(places.items()):
            click.echo(f"    {place}  {count}")
    if any(places for master, places in found.items() if master != rotation.rows.current):
        raise click.exceptions.Exit(1)


@keys.command("issue")
@click.argument("platform")
@click.option("--live/--test", default=False, help="The mode of the key.")
@click.option("--name", default="platform", show_default=True)
@click.option("--reason", required=True, help="Kept with what you do.")
@click.pass_obj
def issue_platform(cli: OperatorCli, platform: str, live: bool, name: str, reason: str) -> None:
    """Issue a secret key of a platform, which acts for each of its businesses. It is shown this once."""
    act = Act(actor="cli", reason=reason)
    key, secret = cli.gateway("operator").issue_platform_key(_platform(platform), livemode=live, name=name, act=act)
    click.echo(f"{encode(Prefix.API_KEY, key.id)}\n{secret}")


def _platform(text: str) -> UUID:
    try:
        return decode(Prefix.PLATFORM, text)
    except ValueError as error:
        raise Invalid(str(error), code="id_invalid") from None
