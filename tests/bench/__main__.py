"""`python -m tests.bench`: every benchmark, each as a ratio against its ceiling in the same run.

`python -m tests.bench api whole` runs those alone. The table goes to stdout as it grows, what is being done to stderr.
On two cores that other work kept overbooked ledger takes 4 minutes, api 3, whole 8.
BENCH_LEDGER_SECONDS, BENCH_PAYMENTS, BENCH_SETTLED and BENCH_SAMPLES make them shorter.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from time import monotonic
from typing import Any

from gateway.adapters import logs
from tests.bench import bench_api, bench_chains, bench_ledger, bench_whole

BENCHES: dict[str, Callable[[], list[dict[str, Any]]]] = {
    "ledger": bench_ledger.run,
    "api": bench_api.run,
    "chains": bench_chains.run,
    "whole": bench_whole.run,
}
_LINE = "{ratio:>6}  {aim:<22}  {ours:<24}  {ceiling:<24}  {name}\n"


def main(names: list[str]) -> None:
    """Print a table; nothing is asserted."""
    sys.stdout.write(_LINE.format(ratio="ratio", aim="aim", ours="ours", ceiling="ceiling", name="what"))
    # What they ask of the simulator is no row of the table.
    logs.set_up("warning")
    began = monotonic()
    for name in names or BENCHES:
        sys.stderr.write(f"[{monotonic() - began:4.0f} s] measuring: {name}; minutes\n")
        for row in BENCHES[name]():
            _print(row)
    sys.stderr.write(f"[{monotonic() - began:4.0f} s] done\n")


def _print(row: dict[str, Any]) -> None:
    ratio = f"{row['ratio']:.2f}" if "ratio" in row else ""
    wrong = f"  {row['wrong']} WRONG ANSWERS" if row.get("wrong") else ""
    ceiling, aim = row.get("ceiling", ""), row.get("aim", "")
    sys.stdout.write(_LINE.format(ratio=ratio, aim=aim, ours=row["ours"], ceiling=ceiling, name=row["name"] + wrong))
    sys.stdout.flush()


def asked(arguments: list[str]) -> list[str]:
    """The benchmarks that the command line names."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    which = f"one of {', '.join(BENCHES)}; all of them without one"
    parser.add_argument("names", nargs="*", metavar="name", help=which)
    names: list[str] = parser.parse_args(arguments).names
    if unknown := set(names) - set(BENCHES):
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}")
    return names


if __name__ == "__main__":
    main(asked(sys.argv[1:]))
