"""`artlock report`: the sums, the words, the JSON, and a page that needs nothing else."""

from __future__ import annotations

import html.parser
import json
import os
import re
import shutil
import sqlite3
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from game import Game

from buildsys.digest import Digest
from buildsys.journal.account import draw_up
from buildsys.journal.database import NAME
from buildsys.journal.keeper import Journal
from buildsys.journal.page import MARK, page
from buildsys.journal.rows import Action, Rows, Run, Worker
from buildsys.journal.run import Heading
from buildsys.journal.spends import Spend
from buildsys.journal.summary import Account, Selection
from buildsys.journal.words import (
    bytes_told,
    commit_told,
    dollars,
    money,
    seconds_tick,
    seconds_told,
    spent_tile,
)
from buildsys.make.events import RequestFailed, RequestSpent
from buildsys.make.progress import Action as Kind
from buildsys.make.progress import ActionStarted, AssetFailed, AssetStarted
from buildsys.manifest.model import AssetName
from buildsys.plan.step import Verdict
from engines.protocol import ErrorKind

HOSTILE = "</title></svg><script>alert('x')</script><img src=x onerror=alert(1)>&\x1b[31m\x00"


def a_run(number: int, **values: Any) -> Run:
    plain: dict[str, Any] = {
        "id": number,
        "started": f"2026-11-{number:02}T09:30:00.000Z",
        "ended": f"2026-11-{number:02}T09:31:00.000Z",
        "command": "build",
        "profile": "draft",
        "jobs": 2,
        "artlock": "0.1.0",
        "python": "3.11.0",
        "machine": "Linux 6.1 x86_64",
        "revision": "f" * 40,
        "process": 1,
        "built": 2,
        "restored": 0,
        "fresh": 5,
        "edited": 0,
        "blocked": 0,
        "failed": 0,
        "seconds": 60.5,
        "ending": "done",
    }
    return Run(**plain | values)


def act(run: int, asset: str, **values: Any) -> Action:
    plain: dict[str, Any] = {
        "at": f"2026-11-{run:02}T09:30:10.000Z",
        "action": "generate",
        "key": f"key of {asset}",
        "recipe": f"recipe of {asset}",
        "engine": "noise",
        "queue_seconds": 0.0,
        "load_seconds": 0.0,
        "make_seconds": 0.0,
        "finish_seconds": 0.0,
        "host_bytes": 0,
        "device_bytes": 0,
        "tries": 1,
        "error": "",
        "message": "",
        "cost": None,
        "hit": 0,
    }
    return Action(run=run, asset=asset, **plain | values)


def hit(run: int, asset: str, **values: Any) -> Action:
    return act(run, asset, **{"hit": 1, "tries": 0} | values)


ROWS = Rows(
    runs=(
        a_run(1),
        a_run(2, built=1, restored=1, failed=1, ending="failed", seconds=3.25, dirty=1),
        a_run(3, command="generate", ended=None, ending=None, seconds=None, revision=""),
    ),
    actions=(
        *(act(1, f"a{number}", make_seconds=float(number), cost=0.04) for number in range(1, 21)),
        act(
            1,
            "a20",
            action="finish",
            engine="finish",
            key="f",
            finish_seconds=0.5,
            queue_seconds=0.25,
            cost=0.0,
        ),
        act(
            1,
            "slow",
            engine="sd",
            make_seconds=75.0,
            load_seconds=9.5,
            host_bytes=10**9,
            device_bytes=12 * 10**9,
        ),
        hit(2, "a20", action="restore"),
        hit(2, "a7"),
        hit(2, "unknown", key="never made here"),
        act(2, "bad", tries=3, error="refused", message="the rules refused it\nand more"),
        act(2, "lost", engine="", error="outside", message="`x.png` is gone"),
        act(3, "slow", engine="sd", make_seconds=80.0),
    ),
    workers=(
        Worker(run=1, engine="sd", device="cuda:0", load_seconds=9.5, lost_kind="", lost_reason=""),
        Worker(
            run=2, engine="sd", device="cuda:0", load_seconds=None, lost_kind="internal", lost_reason="died"
        ),
    ),
)


def account(**wanted: Any) -> Account:
    return draw_up(ROWS, Selection(**wanted))


def test_the_sums_of_an_engine() -> None:
    sd, noise, finish = (
        next(e for e in account().engines if e.engine == n) for n in ("sd", "noise", "finish")
    )
    assert (noise.made, noise.median_seconds, noise.p95_seconds) == (20, 10.5, 19.0)
    assert (noise.failed, noise.retries, noise.hits) == (1, 2, 3)
    assert noise.cost == pytest.approx(0.8)
    # a20 with its finishing, a7 as it was made, and the median for what was never made here.
    assert noise.saved_seconds == 20.5 + 7.0 + 10.5
    assert noise.saved_cost == pytest.approx(0.08)
    assert (sd.made, sd.loads, sd.median_load_seconds, sd.lost) == (2, 1, 9.5, 1)
    assert (sd.host_bytes, sd.device_bytes, sd.load_seconds) == (10**9, 12 * 10**9, 9.5)
    assert (finish.median_seconds, finish.queue_seconds) == (0.5, 0.25)


def test_the_money_by_asset_by_engine_and_by_commit() -> None:
    spends = account().spends
    assert spends.total == Spend(pictures=23, usd=pytest.approx(0.8), unknown=3)  # type: ignore[arg-type]
    noise, sd = spends.engines
    assert (noise.engine, noise.pictures, noise.unknown) == ("noise", 21, 1)
    assert noise.usd == pytest.approx(0.8)
    assert (sd.engine, sd.pictures, sd.usd, sd.unknown) == ("sd", 2, 0.0, 2)
    # The dearest first, then what may be dear; no hit, no finishing, and nothing that no engine was asked.
    assert [item.asset for item in spends.assets[-3:]] == ["a9", "slow", "bad"]
    assert len(spends.assets) == 22
    assert [(item.commit[:3], item.dirty, item.pictures, item.unknown) for item in spends.commits] == [
        ("", None, 1, 1),
        ("fff", True, 1, 1),
        ("fff", None, 21, 1),
    ]
    assert (noise.usd, noise.unknown) == next(
        (item.cost, item.unknown) for item in account().engines if item.engine == "noise"
    )
    assert [(run.cost, run.unknown) for run in account().runs] == [
        (0.0, 1),
        (0.0, 1),
        (pytest.approx(0.8), 1),
    ]


def test_engines_come_by_the_time_they_worked() -> None:
    assert [item.engine for item in account().engines] == ["noise", "sd", "finish"]


def test_runs_come_newest_first_and_one_without_an_end_was_killed() -> None:
    runs = account().runs
    assert [(run.id, run.ending) for run in runs] == [(3, "killed"), (2, "failed"), (1, "done")]
    assert [(run.made, run.hits) for run in runs] == [(1, 0), (0, 3), (22, 0)]
    assert [item.engine for item in runs[2].engines] == ["finish", "noise", "sd"]


def test_an_asset_counts_with_its_slowest_making() -> None:
    slowest = account().slowest
    assert [(item.asset, item.seconds, item.run) for item in slowest[:2]] == [
        ("slow", 80.0, 3),
        ("a20", 20.5, 1),
    ]
    assert len({item.asset for item in slowest}) == len(slowest) == 21


@pytest.mark.parametrize(
    ("wanted", "runs", "made"),
    [
        ({"last": 1}, [3], 1),
        ({"last": 99}, [3, 2, 1], 23),
        ({"since": datetime(2026, 11, 2, tzinfo=UTC)}, [3, 2], 1),
        ({"since": datetime(2026, 12, 1, tzinfo=UTC)}, [], 0),
        ({"engine": "sd"}, [3, 2, 1], 2),
    ],
)
def test_a_part_of_the_journal(wanted: dict[str, Any], runs: list[int], made: int) -> None:
    found = account(**wanted)
    assert [run.id for run in found.runs] == runs
    assert sum(item.made for item in found.engines) == made


def test_what_a_hit_saved_is_known_beyond_the_part_asked_for() -> None:
    (noise,) = (item for item in account(last=2).engines if item.engine == "noise")
    assert noise.saved_seconds == 38.0


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, "—"),
        (0.0, "—"),
        (0.0001, "< 1 ms"),
        (0.034, "34 ms"),
        (1.836, "1.84 s"),
        (12.44, "12.4 s"),
        (60.0, "1 min 00 s"),
        (200.0, "3 min 20 s"),
        (7500.0, "2 h 05 min"),
    ],
)
def test_seconds_in_words(value: float | None, told: str) -> None:
    assert seconds_told(value) == told


def test_other_numbers_in_words() -> None:
    assert [seconds_tick(value) for value in (0.5, 40, 80, 5400)] == [
        "500 ms",
        "40 s",
        "1 min 20 s",
        "1 h 30 min",
    ]
    told = [bytes_told(value) for value in (0, 840, 12_345, 999_600, 612 * 10**6, 10_200 * 10**6)]
    assert told == ["—", "840 B", "12 kB", "1 MB", "612 MB", "10.2 GB"]
    told = [dollars(value) for value in (0.0, 0.0004, 0.04, 12.4)]
    assert told == ["—", "< $0.001", "$0.040", "$12.40"]
    commit = "ab" * 20
    assert [commit_told(commit, dirty=dirty) for dirty in (None, False, True)] == [
        "ababababab",
        "ababababab",
        "ababababab-dirty",
    ]
    assert commit_told("", dirty=None) == "no commit"


@pytest.mark.parametrize(
    ("usd", "unknown", "told", "tile"),
    [
        (0.402, 0, "$0.402", ("$0.402", "spent")),
        (
            0.402,
            2,
            "at least $0.402, and 2 of unknown price",
            ("at least $0.402", "spent, and 2 of unknown price"),
        ),
        (0.0, 2, "2 of unknown price", ("unknown", "spent: 2 of unknown price")),
    ],
)
def test_money_in_words(usd: float, unknown: int, told: str, tile: tuple[str, str]) -> None:
    assert money(usd, unknown) == told
    assert spent_tile(usd, unknown) == tile
    assert (money(0, 0), money(0, 0, nothing="free")) == ("—", "free")


@pytest.fixture
def game(tmp_path: Path) -> Game:
    game = Game(tmp_path / "game", tmp_path / "cache")
    game.write("")
    return game


def fail_once(game: Game, asset: str = "hero", message: str = "the rules refused it") -> None:
    journal = Journal(game.folder / ".artlock" / NAME, Heading(command="build", profile="default", jobs=2))
    name = AssetName(asset)
    key = Digest("ab" * 32)
    for event in (
        AssetStarted(name=name, engine="noise", verdict=Verdict.BUILD),
        ActionStarted(name=name, action=Kind.GENERATE, engine="noise", key=key),
        RequestFailed(engine="noise", asset=name, kind=ErrorKind.REFUSED),
        RequestSpent(
            engine="noise", asset=name, version="1", tries=2, make_seconds=1.5, error=ErrorKind.REFUSED
        ),
        AssetFailed(name=name, message=message),
        AssetStarted(name=AssetName("wolf"), engine="noise", verdict=Verdict.BUILD),
        ActionStarted(name=AssetName("wolf"), action=Kind.GENERATE, engine="noise", key=key),
        RequestSpent(
            engine="noise", asset="wolf", version="1", make_seconds=2.5, host_bytes=123_000_000, cost=0.04
        ),
    ):
        journal.note(event)
    journal.close()


def test_the_whole_in_words(game: Game) -> None:
    fail_once(game)
    done = game.run("report")
    assert done.stderr == ""
    engines, runs, spent, slowest, failures = done.stdout.split("\n\n")
    told = "at least $0.040, and 1 of unknown price"
    assert engines == (
        "Engines\n"
        f"  engine  made  median     p95  load  failed  retries  hits  saved  {'cost':>39}  memory  device\n"
        f"  noise      1  2.50 s  2.50 s     —       1        1     0      —  {told}  123 MB       —"
    )
    assert spent == (
        f"Spent: {told}\n"
        "  asset   wolf       1 picture   $0.040\n"
        "  asset   hero       1 picture   1 of unknown price\n"
        f"  engine  noise      2 pictures  {told}\n"
        f"  commit  no commit  2 pictures  {told}"
    )
    title, heads, row = runs.split("\n")
    assert title == "Runs, newest first (UTC)"
    assert len(heads) == len(row)
    assert heads.split() == (
        "started command how took built restored fresh edited blocked failed".split()  # noqa: SIM905 - as it reads
    )
    moment = r"20\d\d-\d\d-\d\d \d\d:\d\d"
    assert re.fullmatch(rf"  {moment}  build    failed +\d+ ms +0 +0 +0 +0 +0 +1", row)
    assert slowest == "Slowest assets\n  asset  engine  took\n  wolf   noise   2.50 s"
    title, row = failures.splitlines()
    assert title == "Failures, newest first (UTC)"
    assert re.fullmatch(rf"  {moment}  hero  noise  refused  the rules refused it", row)


def test_the_whole_as_json(game: Game) -> None:
    fail_once(game)
    found = json.loads(game.run("report", "--json").stdout)
    assert list(found) == ["schema", "runs", "engines", "slowest", "failures", "spends"]
    assert found["schema"] == 1
    assert found["runs"][0]["ending"] == "failed"
    assert found["engines"][0]["p95_seconds"] == 2.5
    assert found["failures"][0]["message"] == "the rules refused it"
    both = {"pictures": 2, "usd": 0.04, "unknown": 1}
    assert found["spends"] == {
        "total": both,
        "assets": [
            {"pictures": 1, "usd": 0.04, "unknown": 0, "asset": "wolf"},
            {"pictures": 1, "usd": 0.0, "unknown": 1, "asset": "hero"},
        ],
        "engines": [both | {"engine": "noise"}],
        "commits": [both | {"commit": "", "dirty": None}],
    }


def test_a_long_list_of_spends_ends_with_a_sum(game: Game) -> None:
    for number in range(12):
        spend(game, f"a{number:02}", cost=None if number == 11 else 0.5)
    rows = [line.split("  ") for line in game.run("report").stdout.split("\n\n")[2].splitlines()]
    assert [part.strip() for part in rows[11] if part] == [
        "asset",
        "… and 2 more assets",
        "2 pictures",
        "at least $0.500, and 1 of unknown price",
    ]
    assert len(rows) == 1 + 11 + 1 + 1


def test_a_report_without_spends_says_nothing_of_money(game: Game) -> None:
    spend(game, "hero", cost=0.0)
    assert "Spent" not in game.run("report").stdout


def spend(game: Game, asset: str, cost: float | None) -> None:
    journal = Journal(game.folder / ".artlock" / NAME, Heading(command="build"))
    name = AssetName(asset)
    journal.note(ActionStarted(name=name, action=Kind.GENERATE, engine="noise", key=Digest("ab" * 32)))
    journal.note(RequestSpent(engine="noise", asset=asset, version="1", make_seconds=1.0, cost=cost))
    journal.close()


def test_spends_are_told_by_the_commit_that_their_run_began_at(game: Game) -> None:
    game.commit()
    first = game.git("rev-parse", "HEAD").strip()
    spend(game, "hero", cost=0.5)
    manifest = game.folder / "assets.toml"
    manifest.write_text(manifest.read_text() + "\n")
    (game.folder / "new.txt").write_text("no change to what was committed")
    spend(game, "hero", cost=0.25)
    game.commit()
    second = game.git("rev-parse", "HEAD").strip()
    spend(game, "wolf", cost=1.0)
    found = json.loads(game.run("report", "--json").stdout)
    assert [(item["commit"], item["dirty"], item["usd"]) for item in found["spends"]["commits"]] == [
        (second, False, 1.0),
        (first, True, 0.25),
        (first, False, 0.5),
    ]
    assert [(run["revision"], run["dirty"]) for run in found["runs"]] == [
        (second, False),
        (first, True),
        (first, False),
    ]
    told = game.run("report").stdout
    assert f"  commit  {second[:10]}        1 picture   $1.00\n" in told
    assert f"  commit  {first[:10]}-dirty  1 picture   $0.250\n" in told


def test_no_journal_is_no_mistake(game: Game) -> None:
    done = game.run("report")
    assert done.stdout == ""
    assert done.stderr == (
        "there is no run in the journal `.artlock/journal.db` yet\n\nhint: run `artlock build`\n"
    )
    found = json.loads(game.run("report", "--json").stdout)
    nothing = {"pictures": 0, "usd": 0.0, "unknown": 0}
    assert found == {
        "schema": 1,
        "runs": [],
        "engines": [],
        "slowest": [],
        "failures": [],
        "spends": {"total": nothing, "assets": [], "engines": [], "commits": []},
    }


def test_a_spoilt_journal_is_no_mistake(game: Game) -> None:
    (game.folder / ".artlock").mkdir()
    (game.folder / ".artlock" / NAME).write_bytes(b"noise" * 1000)
    assert game.run("report").stderr == (
        "the journal `.artlock/journal.db` can't be read: it is damaged or out of reach "
        "(file is not a database)\n\nhint: remove it; a build begins anew\n"
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--last", "0"], "error: `--last 0` is not a number of runs\n\nhint: give 1 or more\n"),
        (["--since", "monday"], "error: `monday` is not a date\n\nhint: write it like `2026-11-01`\n"),
        (
            ["--engine", "noize"],
            "error: the journal knows no engine `noize`\n\nhint: did you mean `noise`?\n",
        ),
        (["--engine", "xyz"], "error: the journal knows no engine `xyz`\n\nhint: it knows noise\n"),
    ],
)
def test_wrong_usage(game: Game, words: list[str], told: str) -> None:
    fail_once(game)
    assert game.run("report", *words, code=2).stderr == told


def test_nothing_as_new_as_that(game: Game) -> None:
    fail_once(game)
    assert game.run("report", "--since", "2999-01-01").stdout == "no run in the journal is as new as that\n"


def test_a_stranger_s_words_do_not_steer_the_terminal(game: Game) -> None:
    fail_once(game, asset="a\x1b[2Jb", message="\x1b]0;owned\x07 it failed")
    done = game.run("report")
    assert "\x1b" not in done.stdout
    assert "a\\x1b[2Jb" in done.stdout


class _Outline(html.parser.HTMLParser):
    """Tags, and every attribute that could fetch or run something."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.active: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.active += [
            (tag, name) for name, _ in attrs if name.startswith("on") or name in ("src", "href", "xlink:href")
        ]


def outline(text: str) -> _Outline:
    found = _Outline()
    found.feed(text)
    return found


def hostile() -> Account:
    rows = Rows(
        runs=(a_run(1, command="build", profile=HOSTILE, revision=HOSTILE),),
        actions=(
            act(1, HOSTILE, engine=HOSTILE, make_seconds=3.0, cost=1.0),
            act(1, "x" * 300 + HOSTILE, engine=HOSTILE, error=HOSTILE, message=HOSTILE),
        ),
    )
    return draw_up(rows, Selection())


@pytest.mark.parametrize("project", ["game", HOSTILE])
def test_the_page_needs_nothing_and_runs_nothing(project: str) -> None:
    for text in (page(account(), project), page(hostile(), project, chosen=HOSTILE)):
        assert "http://" not in text
        assert "https://" not in text
        assert "//" not in re.sub(r"<!doctype html>", "", text)
        found = outline(text)
        assert not {"script", "img", "link", "iframe", "object", "image"} & set(found.tags)
        assert found.active == []
        assert "<script" not in text
        assert "url(" not in text
        assert "\x1b" not in text
        assert "\x00" not in text


def test_every_chart_has_its_title_and_its_numbers_as_a_table() -> None:
    text = page(account(), "game")
    found = outline(text)
    assert found.tags.count("svg") == 6
    assert found.tags.count("figure") == found.tags.count("details") == 6
    assert found.tags.count("table") == found.tags.count("caption") == 12
    for drawing in re.findall(r"<svg.*?</svg>", text, re.DOTALL):
        root = ET.fromstring(drawing)  # noqa: S314 - made here
        assert root.get("aria-hidden") == "true"
        assert root.findall(".//title")
        assert not root.findall(".//desc")


def test_the_bars_are_as_long_as_what_they_show() -> None:
    text = page(account(engine="sd"), "game")
    titles = re.findall(r"<title>([^<]*)</title>", text)
    assert "sd: median 1 min 18 s" in titles
    assert "sd: 95 % take less 1 min 20 s" in titles
    drawing = next(part for part in re.findall(r"<svg.*?</svg>", text, re.DOTALL) if "take less" in part)
    bars = [
        (bar.findtext("title"), float(bar.find("rect").get("width")))  # type: ignore[union-attr, arg-type]
        for bar in ET.fromstring(drawing).iter("g")  # noqa: S314 - made here
        if bar.get("class") == "bar"
    ]
    width = dict(bars)
    share = width["sd: median 1 min 18 s"] / width["sd: 95 % take less 1 min 20 s"]
    assert share == pytest.approx(77.5 / 80.0, abs=0.001)


def test_a_page_without_any_run() -> None:
    text = page(draw_up(Rows(), Selection()), "game")
    assert "No runs yet" in text
    assert "svg" not in outline(text).tags


def test_a_page_of_one_run_without_any_action() -> None:
    text = page(draw_up(Rows(runs=(a_run(1),)), Selection()), "game")
    assert "svg" not in outline(text).tags
    assert "What each run did" in text


def test_no_cost_no_chart_of_it() -> None:
    assert "Cost, by run" in page(account(), "game")
    # Of `sd` nobody knows the price: no bar, and no nought, but a line in the tables.
    text = page(account(engine="sd"), "game")
    assert "Cost, by run" not in text
    assert "<b>unknown</b>spent: 2 of unknown price</div>" in text
    assert "What was paid, by commit" in text
    assert "What was paid" not in page(account(engine="finish"), "game")


def test_the_command_writes_the_page(game: Game) -> None:
    fail_once(game)
    (game.folder / "pages").mkdir()
    for _ in range(2):
        done = game.run("report", "--html", "pages/report.html")
        assert done.stdout == "pages/report.html\n"
    text = (game.folder / "pages" / "report.html").read_text(encoding="utf-8")
    assert "noise" in text
    assert MARK in text.encode()[:1024].decode()


def link_away(game: Game) -> None:
    (game.folder / "link.html").symlink_to(game.folder / "assets.toml")


def make_pipe(game: Game) -> None:
    os.mkfifo(game.folder / "pipe.html")


@pytest.mark.parametrize(
    ("file", "prepare", "told"),
    [
        ("assets.toml", None, "`assets.toml` is not a page of `artlock report`\n\nhint: name another"),
        (
            "other.html",
            lambda game: (game.folder / "other.html").write_text("<html>"),
            "`other.html` is not a page",
        ),
        ("/dev/full", None, "`/dev/full` is not a regular file"),
        (".artlock", None, "`.artlock` is not a regular file"),
        ("link.html", link_away, "`link.html` is not a regular file"),
        ("pipe.html", make_pipe, "`pipe.html` is not a regular file"),
        ("none/report.html", None, "there is no folder `none`\n\nhint: make it, or name another file"),
    ],
)
def test_the_page_replaces_nothing_but_a_page(
    game: Game, file: str, prepare: Callable[[Game], object] | None, told: str
) -> None:
    fail_once(game)
    if prepare is not None:
        prepare(game)
    path = game.folder / file
    manifest = (game.folder / "assets.toml").read_bytes()
    before = path.lstat().st_ino if path.exists() else None
    assert game.run("report", "--html", file, code=2).stderr.startswith(f"error: {told}")
    assert (path.lstat().st_ino if path.exists() else None) == before
    assert not (game.folder / "none").exists()
    assert (game.folder / "assets.toml").read_bytes() == manifest


def test_a_row_that_is_odd_is_no_traceback(game: Game) -> None:
    fail_once(game)
    with closing(sqlite3.connect(game.folder / ".artlock" / NAME, isolation_level=None)) as connection:
        connection.execute("UPDATE run SET started = 'nonsense'")
    told = game.run("report", "--since", "2026-11-01").stderr
    assert told.startswith("the journal `.artlock/journal.db` can't be read: it is damaged or out of reach (")
    assert told.endswith(")\n\nhint: remove it; a build begins anew\n")


def test_a_journal_that_is_a_pipe_holds_nobody(game: Game) -> None:
    (game.folder / ".artlock").mkdir()
    os.mkfifo(game.folder / ".artlock" / NAME)
    assert game.run("report").stderr == (
        "the journal `.artlock/journal.db` can't be read: it is not a regular file\n\n"
        "hint: remove it; a build begins anew\n"
    )


@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_browser_shows_it_in_its_colours(tmp_path: Path, dark: bool) -> None:
    from PIL import Image  # noqa: PLC0415 - only where there is a browser

    (tmp_path / "report.html").write_text(page(hostile(), HOSTILE), encoding="utf-8")
    words = [
        "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
        f"--user-data-dir={tmp_path / 'profile'}",
        f"--screenshot={tmp_path / 'page.png'}", "--window-size=1280,1600",
        *(["--blink-settings=preferredColorScheme=0"] if dark else []),
        (tmp_path / "report.html").as_uri(),
    ]  # fmt: skip
    subprocess.run(words, check=True, capture_output=True, timeout=120)
    with Image.open(tmp_path / "page.png") as picture:
        corner = picture.convert("RGB").getpixel((2, 2))
        colours = picture.convert("RGB").getcolors(1 << 24)
    assert corner == ((0x14, 0x17, 0x1C) if dark else (0xF6, 0xF5, 0xF2))
    assert colours is not None
    # The colour of a bar: the drawing is there, and dressed by the page.
    bar = (0x5B, 0x9B, 0xEE) if dark else (0x2F, 0x6F, 0xC4)
    assert {colour: number for number, colour in colours}[bar] > 1000
