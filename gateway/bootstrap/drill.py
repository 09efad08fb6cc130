"""The restore drill: a backup is worth what comes back from it, so it is brought back and compared."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from gateway.adapters import servers
from gateway.adapters.persistence import backups
from gateway.adapters.persistence.migrate import print_sql_for_dba
from gateway.adapters.servers.binaries import client_program
from gateway.application.ledger import Finding, Verdict

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """What came back: tables and rows, what differs, the proof of the restored books, and how long each part took."""

    tables: int
    rows: int
    bytes: int
    different: tuple[str, ...]
    findings: tuple[Finding, ...]
    dump_s: float
    restore_s: float

    @property
    def passed(self) -> bool:
        """Whether every row came back and the books hold."""
        return not self.different and not any(f.verdict is Verdict.FAIL for f in self.findings)


def restore_drill(owner_url: str, into: str | None, say: Say) -> Drill:
    """Back the database up and restore it into `into`, the owner's URL of an empty database, or without one into a
    PostgreSQL of our own that is gone afterwards. The database itself is only read.

    Raises BackupFailed or ServerTrouble.
    """
    with tempfile.TemporaryDirectory(prefix="restore-drill-") as folder, _target(into, Path(folder)) as target:
        backup = Path(folder) / "backup.dump"
        say("reading every row")
        with backups.frozen(owner_url) as (snapshot, before):
            say("backing up")
            began = monotonic()
            backups.dump(client_program("pg_dump"), owner_url, snapshot, backup)
            dump_s = monotonic() - began
        say("restoring")
        began = monotonic()
        backups.make_roles(target, print_sql_for_dba())
        backups.restore(client_program("pg_restore"), backup, target)
        restore_s = monotonic() - began
        say("comparing, and proving the books")
        after = backups.proofs(target)
        return Drill(
            tables=len(before),
            rows=sum(proof.rows for proof in before.values()),
            bytes=backup.stat().st_size,
            different=tuple(_differences(before, after)),
            findings=tuple(backups.books_of(target)),
            dump_s=dump_s,
            restore_s=restore_s,
        )


@contextmanager
def _target(into: str | None, folder: Path) -> Iterator[str]:
    if into is not None:
        yield into
        return
    data_dir = servers.reachable_folder(folder / "postgres")
    with servers.embedded_postgres(data_dir, durable=False) as running:
        running.ensure_database("restored")
        yield running.url_for("gateway", "restored")


def _differences(before: Mapping[str, backups.TableProof], after: Mapping[str, backups.TableProof]) -> Iterator[str]:
    for table in sorted({*before, *after}):
        was, is_ = before.get(table), after.get(table)
        if was is None or is_ is None:
            yield f"{table} is {'new' if was is None else 'gone'}"
        elif was != is_:
            yield f"{table}: {was.rows} rows went in, {is_.rows} came out, and they are not the same"
