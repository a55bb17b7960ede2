"""`artlock schema`: the JSON Schema of assets.toml, for editors.

It is also shipped as a file, `buildsys/manifest/assets.schema.json`; a test holds the two together.
"""

from __future__ import annotations

import argparse

from buildsys.cli.console import print_json
from buildsys.errors import Exit
from buildsys.manifest.schema import json_schema


def configure(parser: argparse.ArgumentParser) -> None:
    """Nothing to declare."""
    del parser


def run(options: argparse.Namespace) -> int:
    """Print it."""
    del options
    print_json(json_schema())
    return Exit.FINE
