"""A builder to be interrupted or killed: renders one request of one animal.

`builder.py WORK ANIMAL ACT MODE`: MODE `render` leaves it at that; `close` says when it begins to close
the pool; `handler` has a handler that stops the pool.
"""

# ruff: noqa: E402 - the path comes before what is found by it

from __future__ import annotations

import signal
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

from zookeeper import ROOT, engine, request

from buildsys.make.pool import Pool, Stopped


def main() -> int:
    work, animal, act, mode = sys.argv[1:]
    with Pool(Path(work), root=ROOT, jobs=2) as pool:
        if mode == "handler":
            signal.signal(signal.SIGTERM, lambda *_: pool.stop())
        try:
            pool.render(engine(animal), request(act=act))
        except Stopped as error:
            sys.stdout.write(f"{error}\n")
            return int(error.exit_code)
        sys.stdout.write("closing\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
