"""Makes the training set: `python -m training.sprite NODE_MODULES DATA`.

NODE_MODULES is the folder that this command fills:

    npm install --ignore-scripts $(python -m training.sprite --packages)

Training is `training.sprite.train`, trials are `training.sprite.trials`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from training.sprite import dataset
from training.sprite.drawings import PACKAGES


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Make the training set of the sprite model.")
    parser.add_argument("node_modules", type=Path, nargs="?")
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--packages", action="store_true", help="print what npm has to install")
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    if given.packages:
        print(*(f"{package}@{version}" for package, version in PACKAGES.items()))
        return
    if given.data is None:
        parser.error("NODE_MODULES and DATA are needed")
    made = dataset.build(given.node_modules, given.data, given.processes)
    print(f"{len(made.captions)} pictures, {dataset.digest(given.data)}")


if __name__ == "__main__":
    main()
