"""`artlock audit` in a real project with real git."""

from __future__ import annotations

import base64
import json
import re
import shutil
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from game import ROOT, Game
from PIL import Image

from buildsys.audit import people
from buildsys.audit.ground import check_whole
from buildsys.audit.shown import LARGEST
from buildsys.errors import LockError
from buildsys.lock.model import Approval, Conflict, Lock
from buildsys.lock.read import load
from buildsys.manifest.cards import Cards
from buildsys.manifest.model import AssetName
from buildsys.plan.provenance import TRAINED
from buildsys.store.objects import Store

GEM = '[assets.gem]\nrole = "sprite"\nprompt = "a red gem"\nseed = 9\nsize = [16, 16]\n'
SMALL = '[assets.small]\nfrom = "gem"\nfinish = [{ resize = [8, 8] }]\n'
BEST = '[assets.best]\nrole = "sprite"\nsize = [16, 16]\nseed = 3\ncandidates = 3\n'


@pytest.fixture
def game(tmp_path: Path) -> Game:
    made = Game(tmp_path / "game", tmp_path / "cache")
    card = made.folder / "tools" / "noise.toml"
    card.write_text('source_type = "trainedAlgorithmicMedia"\n' + card.read_text())
    return made


def told(game: Game, *words: str) -> dict[str, dict[str, Any]]:
    lines = game.run("audit", "--format", "jsonl", *words).stdout.splitlines()
    return {line["asset"]: line for line in map(json.loads, lines)}


def commit(game: Game, message: str, who: str = "Ada") -> str:
    game.commit()
    game.git(
        "commit",
        "--quiet",
        "--amend",
        f"--message={message}",
        f"--author={who} <{who.lower()}@example.invalid>",
    )
    return game.git("rev-parse", "HEAD").strip()


def test_each_asset_is_told_with_its_recipe_and_its_people(game: Game) -> None:
    game.write(GEM)
    game.build()
    first = commit(game, "a gem")
    game.write(GEM + SMALL + BEST)
    game.build()
    second = commit(game, "more", who="Bo")
    found = told(game)
    assert list(found) == ["best", "gem", "small"]
    gem, small, best = found["gem"], found["small"], found["best"]
    assert (gem["prompt"], gem["seed"], gem["engine"], gem["adapter"]) == (
        "a red gem",
        9,
        "noise",
        "tools/noise.py",
    )
    assert (gem["state"], gem["made_by"], gem["source_type"]) == (
        "locked",
        "generative",
        "trainedAlgorithmicMedia",
    )
    assert (gem["licence"], gem["cost"], gem["commit"]) == ("unknown", 0.0, second)
    assert (gem["brought"]["commit"], gem["brought"]["name"], gem["brought"]["subject"]) == (
        first,
        "Ada",
        "a gem",
    )
    assert small["brought"]["name"] == "Bo"
    assert (small["made_by"], small["licence"]) == ("generative", "")
    assert [(item["asset"], item["parameters"], item["root"]) for item in small["used"]] == [
        ("gem", ["image"], False)
    ]
    assert small["used"][0]["digest"] == gem["files"]["out/gem.png"]
    assert best["choice"] == {"number": best["choice"]["number"], "of": 3, "by": "sharpness"}
    assert gem["hands"] == best["hands"] == []
    assert gem["accepted"] is None


def test_a_licence_is_that_of_the_model_not_of_the_name(game: Game) -> None:
    game.write(GEM + '[engines.other]\nadapter = "tools/noise.py"\nlicence = "MIT"\n')
    game.build()
    assert (
        told(game)["gem"]["licence"] == "MIT"
    )  # another engine of the manifest with the same adapter and model


def test_every_bundled_model_has_a_licence_and_no_picture_to_look_into(tmp_path: Path) -> None:
    game = Game(tmp_path / "game", tmp_path / "cache")
    cards = Cards(game.folder)
    trained = {
        name for name in cards.adapters() if (card := cards.load(name)).model and card.source_type == TRAINED
    }
    assert trained == {"sprite"}
    size = 'prompt = "red gem"\nseed = 9\nsize = [32, 32]\nparameters = { steps = 4 }\n'
    game.write("".join(f'[assets.{name}]\nengine = "{name}"\n{size}' for name in trained))
    game.build()
    for record in load(game.folder / "assets.lock").records.values():
        Store(game.cache).path_of(record.raw).unlink()
    printed = game.run("audit", "--format", "jsonl")
    assert "not here" not in printed.stderr
    for line in map(json.loads, printed.stdout.splitlines()):
        assert line["made_by"] == "generative"
        assert line["licence"].startswith("MIT, as artlock; learned from drawings under CC BY 3.0")
    assert "unknown" not in game.run("audit", "--disclosure").stdout


def test_what_is_not_committed_is_nobodys_yet(game: Game) -> None:
    game.write(GEM)
    game.build()
    bare = game.run("audit")
    assert bare.stderr == "note: git was not there to ask, or has no commit: nobody knows who and when\n"
    assert "brought by" not in bare.stdout
    commit(game, "a gem")
    game.write(GEM.replace("9", "10"))
    game.build()
    assert told(game)["gem"]["brought"] is None
    assert told(game, "--rev", "HEAD")["gem"]["brought"]["name"] == "Ada"


def test_a_revision_is_told_as_it_was(game: Game) -> None:
    game.write(GEM + BEST)
    game.build()
    first = commit(game, "first")
    game.write(GEM.replace("red", "blue"))
    game.build()
    commit(game, "second")
    (game.folder / "out" / "gem.png").unlink()
    old = told(game, "--rev", first)
    assert set(old) == {"gem", "best"}
    assert (old["gem"]["prompt"], old["gem"]["state"], old["gem"]["working"]) == (
        "a red gem",
        "locked",
        False,
    )
    assert old["best"]["choice"]["of"] == 3  # from the manifest of that commit
    assert told(game)["gem"]["state"] == "missing"
    assert game.run("audit", "--rev", first, "--out", "../a.html").stdout == "../a.html\n"


def test_a_bare_clone_is_told_as_its_last_commit(game: Game, tmp_path: Path) -> None:
    game.write(GEM)
    game.build()
    commit(game, "a gem")
    game.git("clone", "--quiet", "--bare", str(game.folder), str(tmp_path / "bare.git"))
    whole = told(game, "--rev", "HEAD")
    assert whole["gem"]["brought"]["subject"] == "a gem"
    game.folder = tmp_path / "bare.git"
    assert told(game) == told(game, "--rev", "main") == whole


def test_each_row_says_that_an_earlier_commit_may_have_brought_it(game: Game, tmp_path: Path) -> None:
    """As in the clone of a CI, whose stderr nobody files with the audit."""
    game.write(GEM)
    game.build()
    commit(game, "a gem")
    (game.folder / "notes.txt").write_text("later")
    commit(game, "notes")
    game.git("clone", "--quiet", "--depth=1", game.folder.as_uri(), str(tmp_path / "clone"))
    whole = game.run("audit", "gem").stdout + game.run("audit", "gem", "--format", "csv").stdout
    assert "or earlier" not in whole
    game.folder = tmp_path / "clone"
    head = told(game)["gem"]["brought"]["commit"]
    assert f", {head[:12]} or earlier\n" in game.run("audit", "gem").stdout
    assert f",{head} or earlier," in game.run("audit", "gem", "--format", "csv").stdout


def test_a_project_in_a_subfolder_of_a_bare_clone(game: Game, tmp_path: Path) -> None:
    game.write(GEM)
    game.build()
    top = tmp_path / "top"
    top.mkdir()
    shutil.copytree(game.folder, top / "keep", ignore=shutil.ignore_patterns(".git", ".artlock"))
    game.folder = top
    commit(game, "a gem")
    game.git("clone", "--quiet", "--bare", str(top), str(tmp_path / "bare.git"))
    game.folder = tmp_path / "bare.git"
    assert told(game)["gem"] == told(game, "--project", "keep")["gem"]
    assert told(game)["gem"]["state"] == "locked"
    assert "git knows no revision" in game.run("audit", "--rev", "nonsense", code=2).stderr
    game.folder = top
    assert told(game, "--project", "keep")["gem"]["state"] == "locked"
    assert told(game, "--project", "keep", "--rev", "HEAD")["gem"]["brought"]["subject"] == "a gem"
    shutil.rmtree(top / ".git")
    assert told(game, "--project", "keep")["gem"]["state"] == "locked"


def test_where_there_is_no_project_nothing_ships(game: Game, tmp_path: Path) -> None:
    game.folder = tmp_path / "elsewhere"
    game.folder.mkdir()
    assert game.run("audit", code=2).stderr.startswith("error: there is no `assets.toml` here or above")


def test_a_file_that_was_changed_by_hand_is_told(game: Game) -> None:
    game.write(GEM)
    game.build()
    commit(game, "a gem")
    Image.new("RGB", (16, 16), "blue").save(game.folder / "out" / "gem.png")
    found = told(game)["gem"]
    assert (found["state"], found["made_by"]) == ("edited", "composite")
    assert found["source_type"] == "compositeWithTrainedAlgorithmicMedia"
    assert found["because"].endswith("the file was changed by hand since")
    assert found["lying"] != found["files"]["out/gem.png"]
    assert [hand["what"] for hand in found["hands"]] == ["edited"]
    said = game.run("audit", "--statement", code=2).stderr
    assert said == (
        "error: no file is as the lock has it, so there is nothing to state\n\n"
        "hint: run `artlock build`, then try again\n"
    )
    commit(game, "edited, and committed")
    assert told(game, "--rev", "HEAD")["gem"]["state"] == "edited"


def test_an_adopted_picture_is_still_one_of_the_model(game: Game) -> None:
    game.write(GEM)
    game.build()
    commit(game, "a gem")
    Image.new("RGB", (16, 16), "blue").save(game.folder / "out" / "gem.png")
    game.run("adopt", "gem")
    commit(game, "painted over", who="Bo")
    found = told(game)["gem"]
    assert (found["made_by"], found["engine"], found["state"]) == ("composite", "finish", "locked")
    assert found["because"].startswith(
        "before a person changed and adopted it, the adapter `tools/noise.py` says"
    )
    assert [(hand["what"], hand["told"]) for hand in found["hands"]] == [
        ("adopted", "a changed picture was adopted as `art/gem.png`")
    ]
    assert (found["brought"]["name"], found["brought"]["replaced"]) == ("Bo", "noise")
    assert told(game, "--rev", "HEAD")["gem"]["made_by"] == "composite"
    # Where git knows of no older picture, the role in the manifest's comment tells.
    game.git("checkout", "--quiet", "--orphan", "new")
    commit(game, "all anew")
    assert told(game)["gem"]["made_by"] == "composite"


def adopted(game: Game, *words: str) -> None:
    """A gem of the model, painted over and adopted; `words` go in place of the comments, if any."""
    game.write(GEM)
    game.build()
    commit(game, "a gem")
    Image.new("RGB", (16, 16), "blue").save(game.folder / "out" / "gem.png")
    game.run("adopt", "gem")
    if words:
        path = game.folder / "assets.toml"
        kept = [line for line in path.read_text().splitlines() if not line.startswith(("#", "source_type"))]
        at = kept.index("[assets.gem]") + 1
        path.write_text("\n".join([*kept[:at], *words, *kept[at:]]) + "\n")
        game.build()
    commit(game, "painted over", who="Bo")


@pytest.mark.parametrize("author", ["", 'author = "Rita"'])
def test_a_tidied_comment_does_not_change_what_made_a_picture(game: Game, author: str) -> None:
    adopted(game, author)
    assert "#" not in (game.folder / "assets.toml").read_text().partition("[assets.gem]")[2]
    for words in ((), ("--rev", "HEAD")):
        gem = told(game, *words)["gem"]
        assert (gem["made_by"], gem["source_type"]) == ("composite", "compositeWithTrainedAlgorithmicMedia")
        assert gem["because"] == (
            "it took the place of a picture of which "
            "the adapter `tools/noise.py` says `trainedAlgorithmicMedia`"
        )
        assert gem["hands"][0]["told"] == "`art/gem.png` took the place of what an engine drew"
    assert "Pre-generated: yes. The game holds 1 picture made by them in part" in (
        game.run("audit", "--disclosure").stdout
    )


def test_what_was_adopted_is_told_with_its_recipe(game: Game) -> None:
    adopted(game)
    gem = told(game)["gem"]["adopted"]
    assert gem.pop("commit") == game.git("rev-parse", "HEAD~1").strip()
    assert gem == {
        "engine": "noise", "adapter": "tools/noise.py", "model": "", "revision": "",
        "licence": "unknown", "prompt": "a red gem", "seed": 9,
    }  # fmt: skip
    assert "Models: none" not in game.run("audit", "--disclosure").stdout


def test_a_second_version_by_hand_is_still_one_of_the_model(game: Game) -> None:
    adopted(game, 'author = "Rita"')
    Image.new("RGB", (16, 16), "green").save(game.folder / "art" / "gem.png")
    game.build()
    assert told(game)["gem"]["made_by"] == "composite"  # not committed yet
    commit(game, "once more")
    assert told(game)["gem"]["made_by"] == "composite"


def test_what_was_adopted_of_a_model_is_told_through_what_was_made_of_it(game: Game) -> None:
    game.write(GEM + SMALL)
    game.build()
    commit(game, "both")
    Image.new("RGB", (8, 8), "blue").save(game.folder / "out" / "small.png")
    game.run("adopt", "small")
    assert told(game)["small"]["made_by"] == "composite"


def test_who_picked_a_candidate_is_who_wrote_it_into_the_manifest(game: Game) -> None:
    game.write(BEST)
    game.build()
    commit(game, "made")
    first = load(game.folder / "assets.lock").records[AssetName("best")].candidate
    number = first % 3 + 1
    game.run("pick", "best", str(number))
    unbuilt = told(game)["best"]
    assert unbuilt["hands"] == []
    assert unbuilt["choice"] == {"number": first, "of": 3, "by": "sharpness"}
    game.build()
    assert told(game)["best"]["hands"] == [
        {"what": "picked", "told": "a person picked this candidate", "by": None}
    ]
    picked = commit(game, "the second", who="Bo")
    for words in ((), ("--rev", "HEAD")):
        best = told(game, *words)["best"]
        assert best["choice"] == {"number": number, "of": 3, "by": "person"}
        assert best["hands"][0]["by"]["commit"] == picked
        assert best["hands"][0]["by"]["name"] == "Bo"


def test_a_source_is_its_authors(game: Game) -> None:
    (game.folder / "art").mkdir()
    Image.new("RGB", (16, 16), "blue").save(game.folder / "art" / "drawn.png")
    game.write(
        '[assets.drawn]\nsource = "art/drawn.png"\nauthor = "Ada"\n[assets.odd]\nsource = "art/drawn.png"\n'
    )
    game.build()
    found = told(game)
    assert (found["drawn"]["made_by"], found["odd"]["made_by"]) == ("person", "unknown")
    assert found["drawn"]["credits"][0]["author"] == "Ada"
    assert found["drawn"]["used"][0] == {
        "digest": found["drawn"]["raw"],
        "path": "art/drawn.png",
        "asset": "",
        "parameters": ["image"],
        "root": True,
    }


def test_a_statement_and_a_disclosure_are_of_what_lies_there(game: Game) -> None:
    game.write(GEM + SMALL)
    game.build()
    commit(game, "art")
    statement = json.loads(game.run("audit", "--statement", "--rev", "HEAD").stdout)
    jsonschema.validate(
        statement, json.loads((ROOT / "tests" / "golden" / "statement.schema.json").read_text())
    )
    assert [item["name"] for item in statement["subject"]] == ["out/gem.png", "out/small.png"]
    named = json.loads(game.run("audit", "gem", "--statement", "--builder", "https://ci.invalid/art").stdout)
    assert [item["name"] for item in named["subject"]] == ["out/gem.png"]
    assert named["predicate"]["runDetails"]["builder"] == {"id": "https://ci.invalid/art"}
    assert (
        "- Pre-generated: yes. The game holds 2 pictures made by" in game.run("audit", "--disclosure").stdout
    )
    (game.folder / "out" / "small.png").unlink()
    partly = game.run("audit", "--statement")
    assert partly.stderr == "note: the statement leaves out `small`: changed by hand, or not here\n"
    assert game.run("audit", "--disclosure", "gem", code=2).stderr == (
        "error: `--disclosure` tells of all that ships\n\nhint: name no asset\n"
    )


def test_a_file_is_written_in_the_form_of_its_suffix_and_over_nothing_else(game: Game) -> None:
    game.write(GEM)
    game.build()
    for suffix, start in (
        ("jsonl", '{"audit":1,'),
        ("csv", "asset,made by,"),
        ("html", "<!doctype html>"),
        ("txt", "test: 1 asset"),
    ):
        for _ in range(2):  # over its own file it may write
            assert game.run("audit", "--out", f"../a.{suffix}").stdout == f"../a.{suffix}\n"
        assert (game.folder.parent / f"a.{suffix}").read_text().startswith(start)
    for words in (["--statement"], ["--disclosure"]):
        for _ in range(2):
            game.run("audit", *words, "--out", f"../{words[0]}")
    before = (game.folder / "assets.toml").read_bytes()
    assert game.run("audit", "--format", "text", "--out", "assets.toml", code=2).stderr == (
        "error: `assets.toml` is not a page of `artlock audit`\n\nhint: name another file for the page\n"
    )
    assert (game.folder / "assets.toml").read_bytes() == before


def test_a_suffix_that_stands_for_no_form_is_refused(game: Game) -> None:
    game.write(GEM)
    game.build()
    for name in ("a.pdf", "a"):
        assert game.run("audit", "--out", name, code=2).stderr == (
            f"error: `--out {name}` ends in none of `.txt`, `.jsonl`, `.csv`, `.html`\n\n"
            "hint: name the form with `--format`, such as `--format csv`\n"
        )
        assert not (game.folder / name).exists()
    game.run("audit", "--out", "a.lst", "--format", "csv")
    assert (game.folder / "a.lst").read_text().startswith("asset,made by,")


def test_the_page_shows_what_lies_there_where_it_is_small(game: Game) -> None:
    game.write(GEM + '[assets.big]\nrole = "sprite"\nseed = 1\nsize = [512, 512]\n')
    game.build()
    commit(game, "art")
    before = game.outputs()
    assert len(before["big.png"]) > LARGEST
    Image.new("RGB", (16, 16), "red").save(game.folder / "out" / "gem.png")
    now = game.outputs()["gem.png"]
    for words, expected in (((), now), (("--rev", "HEAD"), before["gem.png"])):
        made = game.run("audit", "--format", "html", *words).stdout
        assert re.findall(r'<img [^>]*base64,([^"]*)"', made) == [base64.b64encode(expected).decode()]
        assert made == game.run("audit", "--format", "html", *words).stdout


def test_a_name_that_the_lock_does_not_know_is_told(game: Game) -> None:
    game.write(GEM)
    game.build()
    assert game.run("audit", "gme", code=2).stderr == (
        "error: asset `gme` is not in the lock\n\nhint: did you mean `gem`?\n"
    )


def test_a_pattern_names_several(game: Game) -> None:
    game.write(GEM + GEM.replace("gem", "ruby"))
    game.build()
    found = json.loads(game.run("audit", "r*", "--format", "jsonl").stdout)
    assert found["asset"] == "ruby"
    assert len(game.run("audit", "r*", "*m", "--format", "jsonl").stdout.splitlines()) == 2


def test_the_lock_alone_is_enough(game: Game) -> None:
    game.write(GEM + BEST)
    game.build()
    commit(game, "art")
    (game.folder / "assets.toml").unlink()
    found = told(game)
    assert found["gem"]["brought"]["name"] == "Ada"
    assert found["best"]["choice"]["of"] == 0


def test_the_same_project_is_told_in_the_same_bytes(game: Game, tmp_path: Path) -> None:
    game.write(GEM + SMALL + BEST)
    game.build()
    commit(game, "art")
    game.git("clone", "--quiet", str(game.folder), str(tmp_path / "clone"))
    clone = Game.lying(tmp_path / "clone", game.cache, game.count)
    for form in ("jsonl", "csv", "html", "text"):
        assert game.run("audit", "--format", form).stdout == clone.run("audit", "--format", form).stdout


def test_an_approval_names_a_picture_and_lapses_with_it(game: Game) -> None:
    game.write(GEM)
    game.build()
    record = load(game.folder / "assets.lock").records
    (gem,) = record.values()
    right, wrong = Approval(pixels=gem.picture.pixels, by="Ada"), Approval(pixels=gem.raw, by="Ada")
    found = [people.accepted(Lock(record, approvals={gem.name: word}), gem) for word in (right, wrong)]
    assert [word.holds for word in found if word] == [True, False]
    assert people.accepted(Lock(record), gem) is None


def test_of_a_lock_in_conflict_nobody_knows_what_ships() -> None:
    with pytest.raises(LockError) as caught:
        check_whole(Lock(conflicts={AssetName("gem"): Conflict()}))
    assert str(caught.value) == (
        "both sides of a merge changed `gem` in `assets.lock`\n\nhint: run `artlock resolve`"
    )
