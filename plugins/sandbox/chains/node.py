"""Starting and stopping local nodes: a process for each chain, on loopback, with its own home, gone when we are."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from plugins.sandbox.chains.binary import NoLocalNode, local_node
from plugins.sandbox.chains.controls import Controls
from plugins.sandbox.chains.rpc import Rpc, RpcFailed

#: The first of the node's well-known accounts, rich and unlocked at every local node. Its key is public.
RICH = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"
RICH_KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"

_READY_S = 20
_GONE_S = 5
#: The node lives as long as our end of the pipe: it ends with us, however we end.
_TETHER = '"$@" </dev/null >>"$LOG" 2>&1 & echo $!; exec >/dev/null; cat; kill $! 2>/dev/null; wait $! 2>/dev/null'


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A chain as a local node plays it. `epoch` blocks lie between `latest` and `safe`, twice as many to `finalized`.

    The chain ids are those of the test networks: no signature made here is worth anything where money is.
    """

    network: str
    chain_id: int
    epoch: int
    base_fee: int
    more: tuple[str, ...] = ()


KINDS = {
    "celo": Kind(network="celo", chain_id=11142220, epoch=4, base_fee=25 * 10**9, more=("--celo",)),
    "polygon": Kind(network="polygon", chain_id=80002, epoch=1, base_fee=25 * 10**9),
    "base": Kind(network="base", chain_id=84532, epoch=4, base_fee=200_000, more=("--network", "optimism")),
}


class LocalNode:
    """One node. `folder` keeps its home, its log, and the chain itself where `keeps` is set.

    `block_time_s` makes a block every so often, with or without transactions, as real chains do; without it a block
    is made for each transaction. Raises NoLocalNode where it can't run.
    """

    def __init__(
        self,
        kind: Kind,
        folder: Path,
        *,
        program: Path | None = None,
        port: int = 0,
        block_time_s: int | None = None,
        keeps: bool = False,
    ) -> None:
        self.kind = kind
        self._folder = folder
        self._program = program
        self._port = port
        self._block_time_s = block_time_s
        self._keeps = keeps
        self._process: subprocess.Popen[bytes] | None = None
        self.pid = 0

    @property
    def url(self) -> str:
        """Where it listens; fixed from the first start on."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def controls(self) -> Controls:
        """Its levers."""
        return self._controls

    def start(self) -> None:
        """Run until it answers."""
        program = self._program or local_node()
        self._port = self._port or _free_port()
        home = self._folder / "home"
        home.mkdir(parents=True, exist_ok=True)
        # The shell tells the node's id on its standard output; small shells know no descriptor above nine.
        self._process = subprocess.Popen(  # noqa: S603  # nosec B603
            ["/bin/sh", "-c", _TETHER, "tether", str(program), *self._arguments()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"HOME": str(home), "PATH": os.defpath, "LOG": str(self._folder / "node.log")},
            start_new_session=True,
        )
        if self._process.stdout is not None:
            with self._process.stdout as words:
                self.pid = int(words.readline() or 0)
        self._await()
        self._controls = Controls(self.url)

    def _arguments(self) -> list[str]:
        kind = self.kind
        said = ["-q", "--host", "127.0.0.1", "--port", str(self._port), "--chain-id", str(kind.chain_id)]
        said += ["--slots-in-an-epoch", str(kind.epoch), "--base-fee", str(kind.base_fee), *kind.more]
        # Without this, old states fill the disk and stay there.
        said += ["--max-persisted-states", "0"]
        if self._block_time_s is not None:
            said += ["--block-time", str(self._block_time_s), "--mixed-mining"]
        if self._keeps:
            # Often enough that a crash takes back nothing that was final.
            often = self.kind.epoch * (self._block_time_s or 1)
            said += ["--state", str(self._folder / "chain.json"), "--state-interval", str(often)]
        return said

    def _await(self) -> None:
        rpc, give_up = Rpc(self.url), time.monotonic() + _READY_S
        try:
            while True:
                try:
                    rpc("eth_chainId", timeout_s=1)
                    return
                except RpcFailed:
                    if not self.is_running or time.monotonic() > give_up:
                        self.stop()
                        raise NoLocalNode(f"no local chains: the node of {self.kind.network} did not start") from None
                    time.sleep(0.01)
        finally:
            rpc.close()

    @property
    def is_running(self) -> bool:
        """Whether the node's process is there."""
        if self._process is None or not self.pid:
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def stop(self) -> None:
        """End it; the chain is kept where `keeps` is set, else forgotten."""
        if self._process is None:
            return
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(_GONE_S)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def kill(self) -> None:
        """End it at once, as a crash does."""
        if self._process is None:
            return
        if self.is_running:
            os.kill(self.pid, signal.SIGKILL)
        if self._process.stdin is not None and not self._process.stdin.closed:
            self._process.stdin.close()
        self._process.wait(_GONE_S)
        self._process = None

    def __enter__(self) -> "LocalNode":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


@contextmanager
def running_nodes(folder: Path, *networks: str, block_time_s: int | None = None) -> Iterator[dict[str, LocalNode]]:
    """Nodes of those networks (all by default), started and stopped together."""
    nodes = {
        name: LocalNode(KINDS[name], folder / name, block_time_s=block_time_s) for name in networks or tuple(KINDS)
    }
    try:
        for node in nodes.values():
            node.start()
        yield nodes
    finally:
        for node in nodes.values():
            node.stop()


def _free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port: int = door.getsockname()[1]
    return port
