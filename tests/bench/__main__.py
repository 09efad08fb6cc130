"""`python -m tests.bench`: every benchmark, each as a ratio against its ceiling in the same run."""

from __future__ import annotations

import sys

from tests.bench import bench_api, bench_ledger


def main() -> None:
    """Print a table; nothing is asserted."""
    sys.stdout.write("measuring the ledger and the API; this takes a few minutes\n")
    for bench in (bench_ledger, bench_api):
        for row in bench.run():
            wrong = f"  {row['wrong']} WRONG ANSWERS" if row.get("wrong") else ""
            sys.stdout.write(
                f"{row['ratio']:6.2f}  (aim {row.get('aim', '–')})  {row['name']}\n"
                f"        ours {row['ours']}   ceiling {row['ceiling']}{wrong}\n"
            )
            sys.stdout.flush()


if __name__ == "__main__":
    main()
