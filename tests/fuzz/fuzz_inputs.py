"""Looks for inputs that break a reader, with atheris (coverage-guided). Run by hand; no test needs it.

    python tests/fuzz/fuzz_inputs.py TARGET [OPTIONS OF LIBFUZZER] [FOLDER …]

New inputs go into the first folder. `docs/architecture.md` says how one gets into `tests/corpus`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS), str(TESTS.parent)]

with atheris.instrument_imports(include=["buildsys", "engines"]):
    from fuzz_targets import TARGETS


def main() -> None:
    """Fuzz the target that the first word names."""
    words = sys.argv[1:]
    if not words or words[0] not in TARGETS:
        sys.exit(f"give one of: {', '.join(TARGETS)}")
    atheris.Setup([sys.argv[0], *words[1:]], TARGETS[words[0]])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
