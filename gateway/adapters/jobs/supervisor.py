"""The parent of the workers: imports everything once, forks them, brings back the dead, and ends them in good order."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import FrameType
from uuid import UUID

import structlog

from gateway.adapters.jobs import tasks
from gateway.adapters.jobs.tasks import RunDue
from gateway.adapters.jobs.time_clock import TimeClock
from gateway.adapters.jobs.worker import work
from gateway.domain.due import QUEUES

#: Processes of each queue. A webhook may take its 15 seconds, and a provider its 60: others must not wait behind one.
#: Of those at `pay` and `ask` one connection keeps all but one busy at most, so that one that hangs stops no other.
#: There are more at `send` than one endpoint's deliveries that are on their way at a time.
PROCESSES: Mapping[str, int] = {"pay": 3, "ask": 3, "send": 3, "slow": 1, "tend": 1}

#: A worker that waits for a provider does nothing else: for each that has been at one job for STUCK_S another one is
#: started, so that several connections that hang at once keep none of a queue's ordinary workers from the others.
SPARES: Mapping[str, int] = {"pay": 6, "ask": 6}
STUCK_S = 2.0
#: Spares that nobody needs any more end after this.
LINGER_S = 20.0

_LOOK_EVERY_S = 0.1
#: One that lived for less is started again after a wait, doubling.
_GROWN_UP_S = 5.0
_AGAIN_S = (0.1, 5.0)
_PR_SET_PDEATHSIG = 1
_STOPS = (signal.SIGTERM, signal.SIGINT)
#: Running a row that doesn't exist opens the connections, so that the first one that does needn't wait for them.
_NO_ROW = str(UUID(int=0))

_log = structlog.get_logger("gateway.jobs")


@dataclass(slots=True, kw_only=True)
class _Slot:
    """A place for one child; a spare one is filled only while others are stuck."""

    queue: str
    place: int
    spare: bool = False
    leaving: bool = False
    pid: int = 0
    since: float = 0.0
    start_at: float = 0.0
    wait_s: float = _AGAIN_S[0]


@dataclass(slots=True, kw_only=True)
class Supervisor:
    """Keeps `processes[queue]` workers at each queue.

    `equip` builds, in the child, what runs a row: connections are opened after the fork. On SIGTERM or SIGINT children
    finish the job at hand and take no new one; who isn't done after `drain_s` is killed, and its row comes back.
    """

    redis_url: str = field(repr=False)
    equip: Callable[[], RunDue]
    processes: Mapping[str, int] = field(default_factory=lambda: dict(PROCESSES))
    drain_s: float = 30.0
    linger_s: float = LINGER_S
    _slots: list[_Slot] = field(default_factory=list)
    _stopping: bool = False
    _clock: TimeClock = field(init=False)
    _needed: dict[str, float] = field(default_factory=dict)

    def run(self) -> int:
        """Until told to stop; gives the exit status: 0, or 1 when a child had to be killed.

        Raises ValueError for a queue that doesn't exist. What is imported by now is shared by all children.
        """
        if unknown := set(self.processes) - set(QUEUES):
            raise ValueError(f"there is no queue {', '.join(sorted(unknown))}; the queues are {', '.join(QUEUES)}")
        queues = [(queue, False) for queue in QUEUES for _ in range(self.processes.get(queue, 0))]
        queues += [(queue, True) for queue, n in SPARES.items() for _ in range(n) if self.processes.get(queue, 0)]
        self._slots = [_Slot(queue=queue, place=n, spare=spare) for n, (queue, spare) in enumerate(queues)]
        self._clock = TimeClock(len(self._slots))
        before = {number: signal.signal(number, self._stop) for number in _STOPS}
        try:
            while not self._stopping:
                self._collect()
                self._start()
                self._mind_spares()
                threading.Event().wait(_LOOK_EVERY_S)
            return self._drain()
        finally:
            self._kill()
            for number, handler in before.items():
                signal.signal(number, handler)

    def _stop(self, _: int, __: FrameType | None) -> None:
        self._stopping = True

    def _start(self) -> None:
        now = time.monotonic()
        for slot in self._slots:
            if slot.pid == 0 and slot.start_at <= now and not self._stopping and not slot.spare:
                slot.pid, slot.since = self._fork(slot), now

    def _mind_spares(self) -> None:
        """A spare more or less at a queue, by how many of its workers are stuck."""
        now = time.monotonic()
        for queue in SPARES:
            ours = [slot for slot in self._slots if slot.queue == queue]
            stuck = sum(slot.pid != 0 and self._clock.busy_s(slot.place) > STUCK_S for slot in ours)
            there = [slot for slot in ours if slot.spare and slot.pid and not slot.leaving]
            if len(there) <= stuck:
                self._needed[queue] = now
            if len(there) < stuck:
                free = next((slot for slot in ours if slot.spare and not slot.pid and slot.start_at <= now), None)
                if free is not None and not self._stopping:
                    free.pid, free.since, free.leaving = self._fork(free), now, False
            elif there and now - self._needed.get(queue, now) > self.linger_s:
                idle = next((slot for slot in there if not self._clock.busy_s(slot.place)), None)
                if idle is not None:
                    idle.leaving = True
                    os.kill(idle.pid, signal.SIGTERM)

    def _fork(self, slot: _Slot) -> int:
        parent = os.getpid()
        # A signal between the fork and the child's own handlers waits.
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)
        pid = os.fork()
        if pid:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
            return pid
        status = 1
        try:
            _become_child_of(parent)
            tasks.equip(self.equip(), partial(self._punch, slot.place))
            tasks.run(_NO_ROW)
            work(slot.queue, self.redis_url, spare=slot.spare)
            status = 0
        except BaseException as end:
            # The edge of a process that must not return into its parent's frames.
            _log.warning("worker_could_not_work", queue=slot.queue, error=type(end).__name__, exc_info=end)
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    def _punch(self, place: int, begins: bool) -> None:
        if begins:
            self._clock.begin(place)
        else:
            self._clock.end(place)

    def _collect(self) -> None:
        """Note who ended, and when they may come back."""
        for slot in self._slots:
            if slot.pid == 0 or not (ended := _ended(slot.pid)):
                continue
            now = time.monotonic()
            if now - slot.since > _GROWN_UP_S:
                slot.wait_s = _AGAIN_S[0]
            slot.pid, slot.start_at = 0, now + slot.wait_s
            self._clock.end(slot.place)
            if not self._stopping and not slot.leaving:
                _log.warning("worker_ended", queue=slot.queue, status=ended[0], again_in_s=slot.wait_s)
            slot.wait_s = min(slot.wait_s * 2, _AGAIN_S[1])

    def _drain(self) -> int:
        deadline = time.monotonic() + self.drain_s
        self._tell(signal.SIGTERM)
        while any(slot.pid for slot in self._slots) and time.monotonic() < deadline:
            self._collect()
            threading.Event().wait(_LOOK_EVERY_S / 2)
        left = [slot.queue for slot in self._slots if slot.pid]
        if left:
            _log.warning("workers_killed", queues=left, after_s=self.drain_s)
        return 1 if left else 0

    def _kill(self) -> None:
        self._tell(signal.SIGKILL)
        for slot in self._slots:
            if slot.pid:
                os.waitpid(slot.pid, 0)
                slot.pid = 0

    def _tell(self, number: signal.Signals) -> None:
        for slot in self._slots:
            if slot.pid:
                os.kill(slot.pid, number)


def _ended(pid: int) -> tuple[int] | None:
    """How a child ended (minus the signal's number for a signal), or None while it lives. It is collected then."""
    found, status = os.waitpid(pid, os.WNOHANG)
    return (os.waitstatus_to_exitcode(status),) if found else None


def _become_child_of(parent: int) -> None:
    """Until it has its own handlers a signal ends it; when its parent dies it is asked to end, on Linux."""
    for number in _STOPS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(0)
