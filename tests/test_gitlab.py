"""The job for GitLab of docs/pull-requests.md: its script run by bash, against a server that keeps notes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # its types are a package of their own, for one file
from game import ROOT, Game

from buildsys.review.markdown import mark

ME = 5
PLACE = "/api/v4/projects/3/merge_requests/9/notes"
HERO = """
[assets.hero]
role   = "sprite"
prompt = "a knight"
seed   = {seed}
size   = [16, 16]
"""


def job() -> dict[str, Any]:
    text = (ROOT / "docs" / "pull-requests.md").read_text(encoding="utf-8")
    (block,) = [block for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if "CI_JOB_URL" in block]
    found: dict[str, Any] = yaml.safe_load(block)["art-review"]
    return found


@pytest.fixture
def notes() -> Iterator[tuple[list[dict[str, Any]], str]]:
    kept: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"null")
            assert self.headers["PRIVATE-TOKEN"] == "of-the-project"
            data = json.dumps(self._answer(body)).encode()
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _answer(self, body: Any) -> Any:
            if self.path == "/api/v4/user":
                return {"id": ME}
            if self.command == "GET":
                (page,) = re.findall(r"per_page=100&page=(\d+)", self.path)
                return kept[100 * (int(page) - 1) : 100 * int(page)]
            if self.command == "POST":
                assert self.path == PLACE
                kept.append({"id": len(kept), "body": body["body"], "author": {"id": ME}})
                return kept[-1]
            kept[int(self.path.removeprefix(f"{PLACE}/"))]["body"] = body["body"]
            return {}

        do_GET = do_POST = do_PUT = _serve  # noqa: N815 - the server's names

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield kept, f"http://127.0.0.1:{server.server_port}/api/v4"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.slow
def test_a_merge_request_gets_one_note(tmp_path: Path, notes: tuple[list[dict[str, Any]], str]) -> None:
    kept, address = notes
    kept += [{"id": number, "body": f"{mark('')}\nno", "author": {"id": 1}} for number in range(120)]
    game = Game(tmp_path / "game", tmp_path / "cache")
    for seed in (1, 2):
        game.write(HERO.format(seed=seed))
        game.build()
        game.commit()
    game.git("remote", "add", "origin", str(game.folder))
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "artlock").write_text(f'#!/bin/sh\nexec {sys.executable} -m buildsys "$@"\n')
    (tools / "artlock").chmod(0o755)
    (tools / "python").symlink_to(sys.executable)
    lines = [line for line in job()["script"] if not line.startswith("pip ")]
    assert len(lines) == len(job()["script"]) - 1
    environ = game.environ | {
        "PATH": f"{tools}:{game.environ['PATH']}",
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": game.git("rev-parse", "HEAD~1").strip(),
        "CI_JOB_URL": "https://gitlab.example/jobs/1",
        "CI_API_V4_URL": address,
        "CI_PROJECT_ID": "3",
        "CI_MERGE_REQUEST_IID": "9",
    }
    for token, number in (("", 120), ("of-the-project", 121), ("of-the-project", 121)):
        subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", "\n".join(lines)],
            cwd=game.folder, env=environ | {"NOTES_TOKEN": token}, check=True, capture_output=True,
        )  # fmt: skip
        assert len(kept) == number
    assert kept[-1]["body"].startswith(f"{mark('')}\n")
    assert "https://gitlab.example/jobs/1/artifacts/file/art-review/review.html" in kept[-1]["body"]
    assert {path.name for path in (game.folder / "art-review").iterdir()} == {
        "review.html", "sheet.png", "comment.md",
    }  # fmt: skip
