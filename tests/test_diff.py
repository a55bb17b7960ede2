"""`artlock diff`: what a person reads, what a program gets, and what the words mean."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest
from game import Game
from review_kit import noise

from buildsys.cli.diff import as_json
from buildsys.cli.reviewed import table
from buildsys.journal.words import printable
from buildsys.review import model
from buildsys.review.model import Review
from buildsys.review.revisions import Ends, ends
from engines import png

ROOT = Path(__file__).resolve().parent.parent

ASSETS = """\
[assets.hero]
role = "sprite"
prompt = "a red knight with a long sword"
seed = 1
size = [16, 16]

[assets.icon]
from = "hero"
finish = [{ resize = [8, 8] }]

[assets.rock]
role = "sprite"
seed = 2
size = [16, 16]
"""


@pytest.fixture
def game(tmp_path: Path) -> Game:
    """Committed; then the knight became a blue one, and a stone came."""
    game = Game(tmp_path / "game", tmp_path / "cache")
    game.write(ASSETS)
    game.build()
    game.commit()
    game.write(ASSETS.replace("red", "blue") + '[assets.stone]\nrole = "sprite"\nseed = 3\nsize = [16, 16]\n')
    game.build()
    return game


def test_a_table_for_a_person(game: Game) -> None:
    done = game.run("diff")
    lines = done.stdout.splitlines()
    commit = game.git("rev-parse", "HEAD")[:10]
    assert lines[:2] == [
        f"HEAD {commit} art → the working tree",
        "2 changed, 1 added, 1 unchanged; cost of what is new: free",
    ]
    assert lines[3].split() == ["ATTENTION", "KIND", "ASSET", "WHY", "PICTURE", "COST"]
    assert re.match(
        r"0\.\d\d +changed  hero   its recipe  hash \d+/64, SSIM -?\d\.\d{3}, \d+\.\d dB, ", lines[4]
    )
    assert lines[5] == "        prompt: a [-red-]{+blue+} knight with a long sword"
    assert lines[8] == "        made from `hero`, whose prompt changed"
    assert lines[9].split() == ["0.75", "added", "stone", "—", "16", "x", "16", "free"]
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize("lost", ["nothing", "the store", "the journal", "both"])
def test_diff_and_audit_tell_the_same_cost(game: Game, lost: str) -> None:
    if lost in ("the store", "both"):
        shutil.rmtree(game.cache)
    if lost in ("the journal", "both"):
        (game.folder / ".artlock" / "journal.db").unlink()
    told = json.loads(game.run("diff", "--json").stdout)["changes"]
    audited = [json.loads(line) for line in game.run("audit", "--format", "jsonl").stdout.splitlines()]
    expected = {line["asset"]: line["cost"] for line in audited if line["asset"] != "rock"}
    assert {change["name"]: change["after"]["cost"] for change in told} == expected
    assert expected == {"hero": 0.0, "icon": 0.0, "stone": 0.0}


def test_nothing_differs(game: Game) -> None:
    game.git("add", "--all")
    game.git("commit", "--quiet", "--message=more")
    done = game.run("diff", "--exit-code")
    assert done.stdout.endswith("→ the working tree\nnothing differs in 4 assets\n")


def test_exit_codes_for_scripts(game: Game) -> None:
    game.run("diff")
    game.run("diff", "--exit-code", code=1)
    game.run("diff", "--exit-code", "rock")
    game.run("diff", "--exit-code", "--no-pictures", "--staged")
    game.run("diff", "HEAD~7", code=2)


def test_json_is_the_review(game: Game) -> None:
    done = game.run("diff", "--json")
    told = json.loads(done.stdout)
    assert [change["name"] for change in told["changes"]] == ["hero", "icon", "stone"]
    assert all(change.keys() >= {"kind", "attention"} for change in told["changes"])
    for change in told["changes"]:
        del change["name"]
    review = msgspec.convert(told, Review)
    assert json.loads(msgspec.json.encode(review)) == told
    assert review.counts == {model.Kind.ADDED: 1, model.Kind.CHANGED: 2}
    assert done.stderr == ""


def test_the_docs_tell_every_key_of_the_json() -> None:
    page = (ROOT / "docs" / "review.md").read_text(encoding="utf-8")
    kinds = (model.Review, model.Revision, model.Change, model.Side, model.Field, model.Word, model.Measure)
    for kind in kinds:
        section = page.partition(f"### {kind.__name__}\n")[2].partition("\n### ")[0]
        listed = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
        own = ["name"] if kind is model.Change else []
        assert listed == [*own, *kind.__struct_fields__], kind
    for choices in (model.Kind, model.Cause):
        for choice in choices:
            assert f"`{choice.value}`" in page


def test_without_pictures_nothing_is_measured(game: Game) -> None:
    told = json.loads(game.run("diff", "--json", "--no-pictures").stdout)
    assert [change["measure"] for change in told["changes"]] == [None, None, None]
    assert not (game.folder / ".artlock/review").exists()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("main", Ends(before="main")),
        ("a..b", Ends(before="a", after="b")),
        ("a...b", Ends(before="a", after="b", merge_base=True)),
        ("a..", Ends(before="a", after="HEAD")),
        ("..b", Ends(before="HEAD", after="b")),
        ("v1.0..v1.1", Ends(before="v1.0", after="v1.1")),
    ],
)
def test_what_two_dots_mean(words: str, expected: Ends) -> None:
    assert ends(words) == expected


def test_names_revisions_and_what_could_be_both(game: Game) -> None:
    def names(*words: str) -> list[str]:
        return [change["name"] for change in json.loads(game.run("diff", "--json", *words).stdout)["changes"]]

    assert names("hero") == names("HEAD", "hero") == names("h*") == ["hero"]
    assert names("HEAD..HEAD", "hero") == []
    game.git("branch", "hero")
    assert game.run("diff", "hero", code=2).stderr == (
        "error: `hero` is a revision, and an asset, too\n\n"
        "hint: write `artlock diff HEAD hero` for the asset, or `heads/hero` for the branch\n"
    )
    assert names("heads/hero") == ["hero", "icon", "stone"]
    assert game.run("diff", "her", code=2).stderr == (
        "error: `her` is neither a revision nor an asset\n\nhint: did you mean `hero`?\n"
    )
    assert "git knows no revision `xyz`" in game.run("diff", "xyz", code=2).stderr


def test_an_asset_that_is_gone_is_still_a_name(game: Game) -> None:
    game.write(ASSETS.partition("[assets.rock]")[0])
    game.run("clean", "--yes")
    (change,) = json.loads(game.run("diff", "--json", "rock").stdout)["changes"]
    assert (change["name"], change["kind"], change["after"]) == ("rock", "removed", None)


def test_options_that_say_no_sense(game: Game) -> None:
    assert game.run("diff", "--staged", "HEAD..HEAD", code=2).stderr == (
        "error: `HEAD..HEAD` names both sides, and so does `--staged`\n\nhint: leave one of the two away\n"
    )
    assert game.run("diff", "--merge-base", code=2).stderr == (
        "error: `--merge-base` of what?\n\nhint: name the other branch: `artlock diff --merge-base main`\n"
    )


def test_where_two_branches_parted(game: Game) -> None:
    base = game.git("rev-parse", "HEAD")[:10]
    game.git("switch", "--quiet", "--create", "feature")
    game.git("add", "--all")
    game.git("commit", "--quiet", "--message=blue")
    game.git("switch", "--quiet", "main")
    game.git("commit", "--quiet", "--allow-empty", "--message=main went on")
    game.git("switch", "--quiet", "feature")
    for words in (["--merge-base", "main"], ["main..."]):
        first, *_ = game.run("diff", *words, "--no-pictures").stdout.splitlines()
        assert first.startswith(f"where main and HEAD parted ({base}) art → ")
        assert json.loads(game.run("diff", *words, "--json").stdout)["before"]["asked"] == "main...HEAD"
    # Where `main` is that commit itself, nothing is to be said but its name.
    first, *_ = game.run("diff", "--merge-base", "HEAD", "--no-pictures").stdout.splitlines()
    assert first == f"HEAD {game.git('rev-parse', 'HEAD')[:10]} blue → the working tree"


def test_two_revisions_as_git_takes_them(game: Game) -> None:
    assert game.run("diff", "HEAD", "main", code=2).stderr == (
        "error: `main` is a revision, where the name of an asset would stand\n\n"
        "hint: write `artlock diff HEAD..main` to compare the two\n"
    )
    game.git("branch", "stone")  # an asset of the working tree: that is meant
    assert "stone" in game.run("diff", "HEAD", "stone", "--no-pictures").stdout


def test_where_there_is_no_repository(tmp_path: Path) -> None:
    game = Game(tmp_path / "game", tmp_path / "cache")
    game.write("")
    assert game.run("diff", code=2).stderr == (
        f"error: `{game.folder}` is in no git repository\n\nhint: run `git init` in the project's folder\n"
    )


def test_notes_go_to_a_person_and_into_json(game: Game) -> None:
    (game.folder / ".gitignore").write_text(".artlock/\nout/\n")
    game.git("rm", "-r", "--quiet", "--cached", "out")
    game.git("add", "--all")
    game.git("commit", "--quiet", "--message=without pictures")
    empty = Game.lying(game.folder, game.cache.parent / "empty", game.count)
    for path in (game.folder / "out").iterdir():
        path.unlink()
    done = empty.run("diff", "HEAD~1..HEAD")
    told = "3 pictures can't be shown: neither git nor the store has them"
    assert done.stderr.splitlines()[-1] == f"note: {told}"
    assert json.loads(empty.run("diff", "--json", "HEAD~1..HEAD").stdout)["notes"] == [told]


def test_hostile_words_steer_no_terminal(tmp_path: Path) -> None:
    game = Game(tmp_path / "game", tmp_path / "cache")
    asset = '[assets.hero]\nrole = "sprite"\nseed = 1\nsize = [8, 8]\nprompt = "{}"\n'
    game.write(asset.format("plain words"))
    game.build()
    game.commit()
    game.write(asset.format("plain \\u001b[2J\\u202e words\\r\\n" + "x" * 500))
    game.build()
    game.git("commit", "--quiet", "--all", "--message=\x1b]0;gone\x07 art")
    for words in (["diff", "HEAD~1"], ["diff", "HEAD~1..HEAD"]):
        out = game.run(*words).stdout
        assert set(out) - {"\n"} == {letter for letter in out if letter.isprintable()}
        assert "\\x1b[2J\\u202e" in out
        assert max(map(len, out.splitlines())) < 250


def test_a_picture_that_shows_the_same_and_one_of_another_size(game: Game) -> None:
    """By hand, so that all that is told of it comes from the picture itself."""
    data = png.decode(game.folder / "out/rock.png")
    (game.folder / "out/rock.png").write_bytes(png.encode(png.rgba(data)))
    (game.folder / "out/icon.png").write_bytes(png.encode(noise(1, 9, 9)))
    lines = game.run("diff", "rock", "icon").stdout
    assert re.search(r"encoding only +rock +by hand +the same pixels, ", lines)
    assert re.search(r"changed +icon +.+, by hand +8 x 8 → \?, hash ", lines)


def test_colours_are_for_a_terminal(monkeypatch: pytest.MonkeyPatch, game: Game) -> None:
    found = json.loads(game.run("diff", "--json").stdout)
    for change in found["changes"]:
        del change["name"]
    review = msgspec.convert(found, Review)
    plain = table(review)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    coloured = table(review)
    assert "\x1b[31m[-red-]\x1b[0m\x1b[32m{+blue+}\x1b[0m" in coloured
    assert re.sub(r"\x1b\[\d+m", "", coloured) == plain
    assert printable(plain).replace(" ", "") == plain.replace("\n", " ").replace(" ", "")
    assert as_json(review)["changes"][0]["name"] == "hero"


def test_json_of_an_error(tmp_path: Path) -> None:
    game = Game(tmp_path / "game", tmp_path / "cache")
    game.write("")
    told: dict[str, Any] = json.loads(game.run("diff", "--json", code=2).stdout)
    assert told.keys() == {"error", "hint"}
