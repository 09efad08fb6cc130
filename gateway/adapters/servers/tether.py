"""A doorstep script: drops privileges, ties its life to its parent's, then becomes the real server.

Run as `python -I -S tether.py PARENT_PID DEATH_SIGNAL UID GID -- COMMAND…`; a uid of -1 keeps the caller's.
It is a script, not a `preexec_fn`, because Python code between fork and exec may deadlock in a process with threads.
"""

from __future__ import annotations

import os
import sys

_PR_SET_PDEATHSIG = 1


def _tie_to(parent_pid: int, death_signal: int) -> None:
    """Ask Linux to send `death_signal` when the parent dies; leave at once if it died already. A no-op elsewhere."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl refused")
    if os.getppid() != parent_pid:
        sys.exit("the parent ended before its server began")


def _become(uid: int, gid: int) -> None:
    """Give up root for good. It comes before the tie, which a change of user would undo."""
    if uid < 0:
        return
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def main() -> None:
    parent_pid, death_signal, uid, gid = (int(word) for word in sys.argv[1:5])
    command = sys.argv[6:]
    if uid >= 0 and sys.platform.startswith("linux"):
        import ctypes  # noqa: F401  # loaded while its files can still be read

    _become(uid, gid)
    _tie_to(parent_pid, death_signal)
    os.execv(command[0], command)  # noqa: S606  # nosec B606


if __name__ == "__main__":
    main()
