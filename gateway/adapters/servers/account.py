"""Whom a server runs as: PostgreSQL refuses root, so root lends it the account `nobody`, and a folder it can reach."""

from __future__ import annotations

import os
import pwd
import stat
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

#: Where root puts what the lent account must reach and finds no way to. Only root can write there.
ROOTS_FOLDER = Path("/var/lib/gateway-embedded")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A system user by number."""

    uid: int
    gid: int

    @property
    def name(self) -> str:
        try:
            return pwd.getpwuid(self.uid).pw_name
        except KeyError:
            return f"user {self.uid}"


def lent_account(data: Path) -> Account | None:
    """Whom root should run a server on `data` as: the folder's owner if it has one, else `nobody`. None: not root."""
    if os.geteuid() != 0:
        return None
    if data.exists() and (owner := data.stat()).st_uid != 0:
        return Account(uid=owner.st_uid, gid=owner.st_gid)
    entry = pwd.getpwnam("nobody")
    return Account(uid=entry.pw_uid, gid=entry.pw_gid)


def closed_folder(path: Path, account: Account | None) -> Path | None:
    """The first folder on the way down to `path` that `account` may not enter, or None when the way is open."""
    if account is None:
        return None
    for folder in reversed((path, *path.parents)):
        if folder.exists() and not _may_enter(folder.stat(), account):
            return folder
    return None


def reachable_folder(wanted: Path) -> Path:
    """`wanted` if the account PostgreSQL runs as can reach it; else one in ROOTS_FOLDER that belongs to that path."""
    wanted = wanted.absolute()
    nearest = next(folder for folder in (wanted, *wanted.parents) if folder.exists())
    if closed_folder(nearest, lent_account(wanted / "data")) is None:
        return wanted
    return ROOTS_FOLDER / f"data-{sha256(bytes(wanted)).hexdigest()[:12]}"


def _may_enter(folder: os.stat_result, account: Account) -> bool:
    if folder.st_uid == account.uid:
        return bool(folder.st_mode & stat.S_IXUSR)
    if folder.st_gid == account.gid:
        return bool(folder.st_mode & stat.S_IXGRP)
    return bool(folder.st_mode & stat.S_IXOTH)
