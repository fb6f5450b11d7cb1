"""`python -m tests.faults --seconds 600 --seed 7`: break a running instance for a while, then prove that it kept its
promises. Ends with 1 if it did not; then the data folder, with its logs, is kept.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.faults.plan import Plan
from tests.faults.run import run


def main() -> int:
    args = _arguments()
    failed = 0
    for seed in range(args.seed, args.seed + args.runs):
        plan = Plan(seed, args.seconds, args.writers, args.watchers, args.readers, args.workers)
        failed += not _one(plan)
    return 1 if failed else 0


def _one(plan: Plan) -> bool:
    # PostgreSQL's socket is in this folder, and its path must be short.
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    begin_s = time.monotonic()
    outcome = asyncio.run(
        run(plan, folder, lambda line: print(f"{time.monotonic() - begin_s:6.1f} s  {line}", flush=True))
    )
    print(outcome, flush=True)
    if outcome.broken:
        print(f"everything is kept in {folder}")
    else:
        shutil.rmtree(folder)
    return not outcome.broken


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seconds", type=float, default=120.0, help="how long things break (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of all random choices (default: the time)")
    parser.add_argument("--runs", type=int, default=1, help="runs, each with the next seed (default: %(default)s)")
    parser.add_argument("--writers", type=int, default=Plan().writers, help="(default: %(default)s)")
    parser.add_argument("--watchers", type=int, default=Plan().watchers, help="(default: %(default)s)")
    parser.add_argument("--readers", type=int, default=Plan().readers, help="(default: %(default)s)")
    parser.add_argument("--workers", type=int, default=Plan().workers, help="API processes (default: %(default)s)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
