"""One request to an adapter through the real child process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from engines import protocol
from engines.protocol import Hello, Message, Open, Render, Request

ENTRY = Path(__file__).parent.parent / "engines" / "__main__.py"


def converse(opening: Open, request: Request, folder: Path) -> tuple[Hello, list[Message]]:
    """The child's hello, and what it answers to `request` before it leaves; it runs in `folder`."""
    read, write = os.pipe()
    child = subprocess.run(
        [sys.executable, "-P", str(ENTRY), str(read), opening.adapter],
        input=protocol.encode(opening) + protocol.encode(Render(requests=(request,))),
        stdout=subprocess.PIPE,
        pass_fds=[read],
        cwd=folder,
        timeout=60,
        check=True,
    )
    os.close(read)
    os.close(write)
    hello, *rest = [protocol.decode(line) for line in child.stdout.splitlines(keepends=True)]
    assert isinstance(hello, Hello)
    return hello, rest
