"""A full disk: a server can write no further, and everybody else goes on as they can."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_NO_LIMIT = resource.RLIM_INFINITY


@contextmanager
def full_disk(pid: int, *, room: int = 4096) -> Iterator[None]:
    """No process of that server may write past the first `room` bytes of any file, as if there were no more disk.

    The system answers EFBIG instead of ENOSPC; both servers treat them alike: they couldn't write.
    """
    _limit(pid, room)
    try:
        yield
    finally:
        _limit(pid, _NO_LIMIT)


def _limit(pid: int, room: int) -> None:
    """Set the soft limit of a server and all it started, as the account that it runs as: root may lack the right."""
    family = _family(pid)
    with suppress(OSError):
        owner = Path(f"/proc/{pid}").stat()
        child = os.fork()
        if child == 0:
            try:
                if os.getuid() == 0:
                    os.setgroups([])
                os.setresgid(owner.st_gid, owner.st_gid, owner.st_gid)
                os.setresuid(owner.st_uid, owner.st_uid, owner.st_uid)
                for one in family:
                    with suppress(ProcessLookupError):
                        resource.prlimit(one, resource.RLIMIT_FSIZE, (room, _NO_LIMIT))
            except BaseException:  # the child must never run the test's own code
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        assert status == 0, "the limit could not be set"


def _family(pid: int) -> list[int]:
    """A process and all its descendants."""
    found = [pid]
    for one in found:
        with suppress(OSError):
            for task in Path(f"/proc/{one}/task").iterdir():
                found += [int(child) for child in (task / "children").read_text().split()]
    return found
