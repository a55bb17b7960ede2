"""The action for GitHub: its scripts run by bash in a checkout, against a server that answers as GitHub's."""

from __future__ import annotations

import base64
import json
import os
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

from buildsys.review.markdown import MARK, mark

ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS = {step.get("name", step.get("uses")): step for step in ACTION["runs"]["steps"]}
HERO = """
[assets.hero]
role   = "sprite"
prompt = "a knight"
seed   = {seed}
size   = [16, 16]
"""


class GitHub:
    """Comments and git objects of one repository; `allowed` says whether the token may write."""

    def __init__(self) -> None:
        self.comments: list[dict[str, Any]] = []
        self.blobs: list[bytes] = []
        self.trees: list[dict[str, Any]] = []
        self.commits: list[dict[str, Any]] = []
        self.refs: dict[str, str] = {}
        self.allowed = True
        self.requests: list[str] = []

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        self.requests.append(f"{method} {path}")
        if method != "GET" and not self.allowed:
            return HTTPStatus.FORBIDDEN, {"message": "Resource not accessible by integration"}
        place, _, query = path.removeprefix("/repos/ada/keep").partition("?")
        if method == "GET" and place == "/issues/7/comments":
            (page,) = re.findall(r"per_page=100&page=(\d+)", query)
            return HTTPStatus.OK, self.comments[100 * (int(page) - 1) : 100 * int(page)]
        if method == "POST" and place == "/issues/7/comments":
            self.say(body["body"], "Bot")
            return HTTPStatus.CREATED, self.comments[-1]
        if method == "PATCH" and (found := re.fullmatch(r"/issues/comments/(\d+)", place)):
            self.comments[int(found[1])]["body"] = body["body"]
            return HTTPStatus.OK, self.comments[int(found[1])]
        return self._git(method, place, body)

    def _git(self, method: str, place: str, body: Any) -> tuple[int, Any]:  # noqa: PLR0911 - an answer each
        if (method, place) == ("POST", "/git/blobs"):
            self.blobs.append(base64.b64decode(body["content"]))
            return HTTPStatus.CREATED, {"sha": f"blob{len(self.blobs) - 1}"}
        if (method, place) == ("POST", "/git/trees"):
            self.trees.append(body)
            return HTTPStatus.CREATED, {"sha": f"tree{len(self.trees) - 1}"}
        if (method, place) == ("POST", "/git/commits"):
            self.commits.append(body)
            return HTTPStatus.CREATED, {"sha": f"commit{len(self.commits) - 1}"}
        if (method, place) == ("POST", "/git/refs"):
            self.refs[body["ref"]] = body["sha"]
            return HTTPStatus.CREATED, {}
        branch = place.rpartition("/")[2]
        known = f"refs/heads/{branch}" in self.refs
        if place.startswith("/git/ref/heads/") and known:
            return HTTPStatus.OK, {"object": {"sha": self.refs[f"refs/heads/{branch}"]}}
        if place.startswith("/git/commits/"):
            return HTTPStatus.OK, {"tree": {"sha": self.commits[int(branch.removeprefix("commit"))]["tree"]}}
        if method == "PATCH" and known:
            assert body["force"] is True
            self.refs[f"refs/heads/{branch}"] = body["sha"]
            return HTTPStatus.OK, {}
        missing = HTTPStatus.UNPROCESSABLE_ENTITY if method == "PATCH" else HTTPStatus.NOT_FOUND
        return missing, {"message": "Reference does not exist"}

    def say(self, body: str, kind: str) -> None:
        self.comments.append({"id": len(self.comments), "body": body, "user": {"type": kind}})


@pytest.fixture
def github() -> Iterator[tuple[GitHub, str]]:
    hub = GitHub()

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = json.loads(self.rfile.read(length)) if length else None
            assert self.headers["Authorization"] == "Bearer of-the-job"
            status, said = hub.answer(self.command, self.path, body)
            data = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = _serve  # noqa: N815 - the server's names

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield hub, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Job:
    """One run of the action in a checkout: each step's script by bash, as a runner calls it."""

    def __init__(self, game: Game, folder: Path, address: str, **values: str) -> None:
        self.game = game
        self.temp = folder
        (folder / "artlock" / "bin").mkdir(parents=True)
        shim = f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -c "{LAUNCH}" "$@"\n'
        (folder / "artlock" / "bin" / "artlock").write_text(shim)
        (folder / "artlock" / "bin" / "artlock").chmod(0o755)
        (folder / "artlock" / "bin" / "python").symlink_to(sys.executable)
        base = values.get("BASE") or values.get("BEGAN") or game.git("rev-parse", "HEAD~1").strip()
        self.values = {
            "PROJECT": ".", "BASE": base, "GIVEN": "", "BEGAN": base, "EVENT": "push", "MERGED": "",
            "ACTION": str(ROOT), "BRANCH": "", "TOKEN": "of-the-job",
            "NUMBER": "7", "ARTIFACT": "", "LINK": "https://github.example/artifacts/1",
            "HEAD_REPOSITORY": "ada/keep",
        } | values  # fmt: skip
        self.environ = game.environ | {
            "RUNNER_TEMP": str(folder),
            "GITHUB_OUTPUT": str(folder / "output.txt"),
            "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
            "GITHUB_API_URL": address,
            "GITHUB_SERVER_URL": "https://github.example",
            "GITHUB_REPOSITORY": "ada/keep",
        }
        del self.environ["PYTHONPATH"]

    def step(self, name: str, code: int = 0) -> str:
        step = STEPS[name]
        own = {key: self.values[key] for key in step.get("env", {})}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]],
            cwd=self.game.folder, env=self.environ | own, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        self.values["BASE"] = self.outputs.get("base", self.values["BASE"])
        return done.stdout + done.stderr

    @property
    def outputs(self) -> dict[str, str]:
        path = self.temp / "output.txt"
        lines = path.read_text().splitlines() if path.exists() else []
        return dict(line.split("=", 1) for line in lines)

    @property
    def summary(self) -> str:
        path = self.temp / "summary.md"
        return path.read_text() if path.exists() else ""


FETCH = "Fetch what it is compared with"
LAUNCH = "from buildsys.cli import console; console()"


@pytest.fixture
def game(tmp_path: Path) -> Game:
    """Two commits: a hero, and another one."""
    made = Game(tmp_path / "game", tmp_path / "cache")
    for seed in (1, 2):
        made.write(HERO.format(seed=seed))
        made.build()
        made.commit()
    return made


def test_the_action_runs_no_text_of_an_event() -> None:
    for name, step in STEPS.items():
        assert "${{" not in step.get("run", ""), name
        assert step.get("shell") == ("bash" if "run" in step else None), name
        for script in re.findall(r'bin/python"[^\n]*|"\$(?:python|PYTHON)"[^\n]*', step.get("run", "")):
            assert " -I " in script or script.endswith('bin/python"'), script


def test_the_action_names_only_what_there_is() -> None:
    text = (ROOT / "action.yml").read_text(encoding="utf-8")
    assert set(re.findall(r"inputs\.([a-z-]+)", text)) == set(ACTION["inputs"])
    ids = {step["id"] for step in ACTION["runs"]["steps"] if "id" in step}
    assert set(re.findall(r"steps\.([a-z]+)\.outputs", text)) <= ids
    assert all(value["description"] for value in [*ACTION["inputs"].values(), *ACTION["outputs"].values()])


@pytest.mark.slow
def test_a_pull_request_gets_one_comment(game: Game, tmp_path: Path, github: tuple[GitHub, str]) -> None:
    hub, address = github
    for number in range(150):  # on the second page lies ours
        hub.say(f"{number}", "User")
    hub.say(f"{mark('')}\n\nby somebody who knows how it begins", "User")
    job = Job(game, tmp_path / "runner", address)
    for step in (FETCH, "Check", "Compare", "Comment"):
        job.step(step)
    base = game.git("rev-parse", "HEAD~1").strip()
    assert job.outputs == {"base": base, "code": "0", "changes": "1", "artifact": "art-review"}
    assert sorted(path.name for path in (job.temp / "art-review").iterdir()) == ["review.html", "sheet.png"]
    first = hub.comments[-1]["body"]
    assert first.startswith(MARK)
    assert "**1** changed" in first
    assert "https://github.example/artifacts/1" in first
    assert len(hub.comments) == 152
    hub.say(f"{mark('games/other')}\n\nof another game", "Bot")
    hub.comments[0]["user"] = None  # GitHub's own description of a comment allows it
    hub.comments[-2]["body"] = f"{mark('')}\r\n\r\nof an older run"
    job.step("Comment")
    assert len(hub.comments) == 153
    assert hub.comments[-1]["body"].endswith("of another game")
    assert hub.comments[-2]["body"] == first
    assert hub.comments[-3]["body"].endswith("how it begins")
    assert job.summary == ""


@pytest.mark.slow
@pytest.mark.parametrize("why", ["fork", "read only", "no pull request"])
def test_where_nothing_may_be_written_the_summary_has_it(
    game: Game, tmp_path: Path, github: tuple[GitHub, str], why: str
) -> None:
    hub, address = github
    values = {"fork": {"HEAD_REPOSITORY": "eve/keep"}, "no pull request": {"NUMBER": ""}}.get(why, {})
    hub.allowed = False
    job = Job(game, tmp_path / "runner", address, BRANCH="artlock-sheets", **values)
    job.step("Compare")
    job.step("Comment")
    assert job.summary.startswith(MARK)
    assert "**1** changed" in job.summary
    assert hub.comments == []
    if why != "read only":
        assert hub.requests == []


@pytest.mark.slow
def test_the_sheet_goes_to_its_branch(game: Game, tmp_path: Path, github: tuple[GitHub, str]) -> None:
    hub, address = github
    job = Job(game, tmp_path / "runner", address, BRANCH="artlock-sheets")
    job.step("Compare")
    job.step("Comment")
    assert hub.blobs == [(job.temp / "art-review" / "sheet.png").read_bytes()]
    assert hub.refs == {"refs/heads/artlock-sheets": "commit0"}
    assert hub.commits[0]["parents"] == []
    expected = "https://github.example/ada/keep/raw/artlock-sheets/7.png?commit0"
    assert f"]({expected})" in hub.comments[0]["body"]
    job.step("Comment")
    assert hub.refs == {"refs/heads/artlock-sheets": "commit1"}
    assert hub.trees[1]["base_tree"] == "tree0"
    assert [item["path"] for item in hub.trees[1]["tree"]] == ["7.png"]


@pytest.mark.slow
def test_two_games_of_a_repository_have_a_comment_and_a_sheet_each(
    tmp_path: Path, github: tuple[GitHub, str]
) -> None:
    hub, address = github
    top = Game(tmp_path / "game", tmp_path / "cache")
    names = ("games/keep", "games/the #2")
    games = [Game(top.folder / name, top.cache) for name in names]
    for seed in (1, 2):
        for game in games:
            game.write(HERO.format(seed=seed))
            game.build()
        top.commit()
    job = Job(top, tmp_path / "runner", address, BRANCH="artlock-sheets")
    artifacts = []
    for _ in range(2):
        for name in names:
            job.values["PROJECT"] = f"./{name}/"
            job.step("Compare")
            job.step("Comment")
            artifacts.append(job.outputs["artifact"])
    assert artifacts == ["art-review-games-keep", "art-review-games-the--2"] * 2
    assert [item["tree"][0]["path"] for item in hub.trees] == ["games/keep/7.png", "games/the #2/7.png"] * 2
    assert [item["body"].split("\n")[0] for item in hub.comments] == [mark(name) for name in names]
    assert "### Art of games/keep: **1** changed" in hub.comments[0]["body"]
    assert "/raw/artlock-sheets/games/the%20%232/7.png?commit3)" in hub.comments[1]["body"]


@pytest.mark.slow
def test_what_does_not_agree_fails_the_job_and_is_still_shown(
    game: Game, tmp_path: Path, github: tuple[GitHub, str]
) -> None:
    hub, address = github
    (game.folder / "out" / "hero.png").unlink()
    job = Job(game, tmp_path / "runner", address)
    for step in ("Check", "Compare", "Comment"):
        job.step(step)
    assert job.outputs["code"] == "12"
    assert len(hub.comments) == 1
    assert "hero" in job.step("Tell what the check found", code=1)


@pytest.mark.slow
def test_a_shallow_checkout_is_made_whole(game: Game, tmp_path: Path, github: tuple[GitHub, str]) -> None:
    _, address = github
    clone = tmp_path / "clone"
    subprocess.run(
        ["git", "clone", "--quiet", "--depth=1", game.folder.as_uri(), str(clone)], check=True,
        env={**os.environ, "GIT_CONFIG_COUNT": "0"},
    )  # fmt: skip
    shallow = Game.lying(clone, game.cache, game.count)
    job = Job(game, tmp_path / "runner", address)
    job.game = shallow
    job.step(FETCH)
    job.step("Compare")
    assert job.outputs["changes"] == "1"


def merged(game: Game) -> str:
    """A pull request of `foe`, checked out as GitHub merges it; main moved on since. What it began from."""
    began = game.git("rev-parse", "HEAD").strip()
    game.git("checkout", "--quiet", "-b", "theirs")
    game.write(HERO.format(seed=2) + HERO.format(seed=4).replace("hero", "foe"))
    game.build()
    game.commit()
    game.git("checkout", "--quiet", "main")
    game.write(HERO.format(seed=3))
    game.build()
    game.commit()
    game.git("checkout", "--quiet", "--detach")
    game.git("merge", "--quiet", "--no-commit", "--strategy=ours", "theirs")
    game.write(HERO.format(seed=3) + HERO.format(seed=4).replace("hero", "foe"))
    game.build()
    game.commit()
    game.git("update-ref", "refs/pull/7/merge", "HEAD")
    return began


def changed(job: Job) -> list[str]:
    job.step("Compare")
    told = json.loads((job.temp / "artlock-diff.json").read_text())
    return [change["name"] for change in told["changes"]]


@pytest.mark.slow
def test_what_others_merged_meanwhile_is_not_the_pull_requests(
    game: Game, tmp_path: Path, github: tuple[GitHub, str]
) -> None:
    _, address = github
    began = merged(game)
    head, main = game.git("rev-parse", "HEAD", "main").split()
    event = {"BEGAN": began, "EVENT": "pull_request", "MERGED": head}
    job = Job(game, tmp_path / "runner", address, **event)
    job.step(FETCH)
    assert job.outputs["base"] == main
    assert changed(job) == ["foe"]
    asked = Job(game, tmp_path / "asked", address, **event, GIVEN=began)
    asked.step(FETCH)
    assert asked.outputs["base"] == began
    game.git("checkout", "--quiet", "theirs")
    branch = Job(game, tmp_path / "branch", address, **event)
    branch.step(FETCH)
    assert branch.outputs["base"] == began
    assert changed(branch) == ["foe"]


@pytest.mark.slow
@pytest.mark.parametrize("depth", [1, 2])
def test_a_merge_needs_its_parent(game: Game, tmp_path: Path, github: tuple[GitHub, str], depth: int) -> None:
    _, address = github
    began = merged(game)
    head, main = game.git("rev-parse", "HEAD", "main").split()
    clone = Game.lying(tmp_path / "clone", game.cache, game.count)
    clone.folder.mkdir()
    clone.git("init", "--quiet")
    clone.git("remote", "add", "origin", game.folder.as_uri())
    clone.git("fetch", "--quiet", f"--depth={depth}", "origin", "refs/pull/7/merge")
    clone.git("checkout", "--quiet", "--detach", "FETCH_HEAD")
    there = Job(clone, tmp_path / "there", address, BEGAN=began, EVENT="pull_request", MERGED=head, BASE="")
    if depth == 1:  # nobody answers, then somebody does
        clone.git("remote", "set-url", "origin", (tmp_path / "nowhere").as_uri())
        told = there.step(FETCH, code=1)
        assert (
            "::error::The checkout lacks what the pull request is merged into. "
            "Hint: give actions/checkout `fetch-depth: 2`.\n"
        ) in told
        clone.git("remote", "set-url", "origin", game.folder.as_uri())
    else:
        clone.git("remote", "remove", "origin")
    there.step(FETCH)
    assert there.outputs["base"] == main
    assert clone.git("rev-parse", "--is-shallow-repository") == "true\n"
    assert changed(there) == ["foe"]


@pytest.mark.slow
def test_nothing_differs(game: Game, tmp_path: Path, github: tuple[GitHub, str]) -> None:
    hub, address = github
    job = Job(
        game,
        tmp_path / "runner",
        address,
        BASE=game.git("rev-parse", "HEAD").strip(),
        BRANCH="artlock-sheets",
        LINK="",
    )
    job.step("Compare")
    job.step("Comment")
    assert job.outputs["changes"] == "0"
    assert "nothing differs" in hub.comments[0]["body"]
    assert hub.refs == {}
