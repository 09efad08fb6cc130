"""`python -m tests.chaos`: seeds of kills, lost replies, shuffled callbacks, lies and hangs, with a table."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.chaos import callbacks, hang, hops, kills
from tests.chaos.plan import make_plan
from tests.chaos.scene import a_scene
from tests.chaos.traffic import fund
from tests.chaos.two import HOWS, two_lines
from tests.servers import scratch_folder

PARTS = ("kills", "replies", "callbacks", "flood", "hang")
_HOPS = (hops.to_the_shop, hops.from_the_provider, hops.to_the_callback, hops.to_a_webhook)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seeds", type=int, default=10, help="runs with kills (10)")
    parser.add_argument("--first-seed", type=int, default=1, help="the first of them (1): a failing seed is a repro")
    parser.add_argument("--payments", type=int, default=200, help="payments a seed (200)")
    parser.add_argument("--payouts", type=int, default=50, help="payouts a seed (50)")
    parser.add_argument("--kills", type=int, default=7, help="kills a seed (7), over five kinds of process")
    parser.add_argument("--losses", type=int, default=500, help="lost replies a hop (500)")
    parser.add_argument("--callbacks", type=int, default=20_000, help="callbacks posted, five times each (20000)")
    parser.add_argument("--forged", type=int, default=10_000, help="forged callbacks (10000)")
    parser.add_argument("--hang", type=float, default=60.0, help="seconds that one connection of two hangs (60)")
    parser.add_argument("--quiet", type=float, default=60.0, help="quiet seconds before each hang (60)")
    parser.add_argument("--every", type=float, default=0.5, help="seconds between two payments of a connection (0.5)")
    parser.add_argument("--only", choices=PARTS, action="append", help="one part, or several")
    return parser.parse_args(arguments)


def _say(line: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')}  {line}\n")
    sys.stderr.flush()


def _table(rows: Sequence[tuple[str, str]]) -> None:
    for name, figure in rows:
        sys.stdout.write(f"{name:<44} {figure}\n")


def _kills(options: argparse.Namespace, folder: Path) -> list[str]:
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    plans = [make_plan(seed, payments=options.payments, payouts=options.payouts, kills=options.kills) for seed in seeds]
    results = [kills.run(plan, folder, _say) for plan in plans]
    killed = sum((Counter(result.killed) for result in results), Counter[str]())
    faults = [f"seed {result.seed}: {fault}" for result in results for fault in result.faults]
    waits = max(result.settled_after_s for result in results)
    _table(
        [
            ("payments, payouts", f"{sum(r.payments for r in results)}, {sum(r.payouts for r in results)}"),
            ("kills", ", ".join(f"{victim} {n}" for victim, n in killed.items())),
            ("seeds without a fault", f"{sum(not r.faults for r in results)} of {len(results)}"),
            ("money settled after the last kill, at most", f"{waits:.0f} s"),
            ("tries of which M-Pesa never heard", f"{sum(len(r.doubts) for r in results)}, all shown as unknown"),
            ("webhooks taken in", str(sum(r.events for r in results))),
        ]
    )
    return faults


def _replies(options: argparse.Namespace, folder: Path) -> list[str]:
    faults: list[str] = []
    with a_scene(folder / "replies", seed=options.first_seed) as scene:
        fund(scene, "replies")
        for lose in _HOPS:
            hop = lose(scene, options.losses, options.first_seed)
            _say(f"{hop.name}: {hop.lost} lost")
            _table([(f"lost: {hop.name}", f"{hop.lost}, {len(hop.faults)} faults, {hop.took_s:.0f} s")])
            faults += [f"{hop.name}: {fault}" for fault in hop.faults]
    return faults


def _callbacks(options: argparse.Namespace, folder: Path) -> list[str]:
    with a_scene(folder / "callbacks", seed=options.first_seed) as scene:
        found = callbacks.shuffled(scene, options.callbacks // callbacks.TIMES, options.first_seed)
    _table(
        [
            ("callbacks, five times each and shuffled", str(found.posted)),
            ("receipts, of distinct ones", f"{found.receipts} of {found.distinct}, {found.took_s:.0f} s"),
        ]
    )
    return found.faults


def _flood(options: argparse.Namespace, folder: Path) -> list[str]:
    with a_scene(folder / "flood", seed=options.first_seed) as scene:
        found = callbacks.flood(scene, options.forged)
    asked = f"{found.queries_a_live_attempt:.1f}, {found.allowed_a_live_attempt:.1f} allowed"
    ratio = found.flooded_p99_ms / found.quiet_p99_ms
    _table(
        [
            ("forged callbacks", str(found.forged)),
            ("questions a live try", asked),
            (
                "create and confirm, p99 quiet : flooded",
                f"{found.quiet_p99_ms:.0f} : {found.flooded_p99_ms:.0f} ms ({ratio:.2f})",
            ),
        ]
    )
    return found.faults


def _hang(options: argparse.Namespace, folder: Path) -> list[str]:
    with two_lines(folder / "hang", seed=options.first_seed) as two:
        pace = {"quiet_s": options.quiet, "hang_s": options.hang, "back_s": 40.0, "every_s": options.every}
        found = hang.run(two, hows=HOWS, say=_say, **pace)
        ended = hang.judged(two)
    for one in found:
        quiet, hung = hang.p99(one.quiet), hang.p99(one.hung)
        back = f"{one.back_after_s:.1f} s; {one.goodput_after:.2f} of the tries, {one.goodput_quiet:.2f} quiet"
        refused = f"{one.hung_refused:.2f}, the rest waited"
        _table(
            [
                (f"{one.how}: the other's p99, quiet : hung", f"{quiet:.2f} : {hung:.2f} s ({one.ratio:.2f})"),
                (f"{one.how}: prompts refused while it hung", refused),
                (f"{one.how}: goodput back after", back),
            ]
        )
    _table(
        [
            ("payments over both, settled", f"{ended.payments}, {ended.settled}"),
            ("tries of which M-Pesa never heard", f"{len(ended.doubts)}, all shown as unknown"),
        ]
    )
    return [*ended.faults, *(fault for one in found for fault in hang.short_of(one))]


_RUN: dict[str, Callable[[argparse.Namespace, Path], list[str]]] = {
    "kills": _kills,
    "replies": _replies,
    "callbacks": _callbacks,
    "flood": _flood,
    "hang": _hang,
}


def main(arguments: Sequence[str]) -> int:
    """Run the parts asked for; 1 when anything was lost, doubled or told wrongly."""
    options = _options(arguments)
    faults: list[str] = []
    with scratch_folder() as folder:
        for part in options.only or PARTS:
            _say(part)
            faults += _RUN[part](options, folder)
    for fault in faults:
        sys.stdout.write(f"FAULT  {fault}\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
