"""A builder to be interrupted or killed: renders one request of one animal and says when it waits.

`builder.py WORK ANIMAL ACT MODE`: MODE `load` gives ACT to the engine while it loads, `render` with
its request, `close` is `render` and then closing the pool; `handler` is `render` with a handler that
stops the pool.
"""

# ruff: noqa: E402 - the path comes before what is found by it

from __future__ import annotations

import signal
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

from zookeeper import ROOT, engine, request

from buildsys.make.events import Event, RequestStarted
from buildsys.make.pool import Pool, Stopped


def main() -> int:
    work, animal, act, mode = sys.argv[1:]

    def on_event(event: Event) -> None:
        if isinstance(event, RequestStarted):
            sys.stdout.write(f"waiting for {event.asset}\n")
            sys.stdout.flush()

    with Pool(Path(work), root=ROOT, jobs=2, on_event=on_event) as pool:
        pool.render(engine("good"), request("other"))
        if mode == "handler":
            signal.signal(signal.SIGTERM, lambda *_: pool.stop())
        if mode == "load":
            sys.stdout.write("waiting for hero\n")
            sys.stdout.flush()
            pool.render(engine(animal, settings={"act": act}), request())
        else:
            try:
                pool.render(engine(animal), request(act=act))
            except Stopped as error:
                sys.stdout.write(f"{error}\n")
                return int(error.exit_code)
    return 0


if __name__ == "__main__":
    sys.exit(main())
