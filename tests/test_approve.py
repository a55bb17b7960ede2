"""`artlock approve` and `check --approved`: a word on a picture goes where the picture goes, no further."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
from game import Game

from buildsys.errors import Exit
from buildsys.lock.read import load

ADA: Final = "Ada <ada@example.invalid>"
GRACE: Final = "Grace Hopper <grace@example.org>"
ASSETS: Final = """
    [assets.hero]
    role = "sprite"
    prompt = "{prompt}"
    seed = 1
    size = [16, 16]

    [assets."items/axe"]
    role = "sprite"
    prompt = "axe"
    seed = 1
    size = [16, 16]

    [assets."items/bow"]
    from = "items/axe"
    finish = [{{ resize = [8, 8] }}]
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Game:
    folder = tmp_path_factory.mktemp("approve")
    game = Game(folder / "game", folder / "cache")
    game.write(ASSETS.format(prompt="a knight"))
    game.build()
    game.commit()
    return game


@pytest.fixture
def game(built: Game, tmp_path: Path) -> Game:
    return built.apart(tmp_path)


def approvals(game: Game) -> dict[str, str]:
    return {name: approval.by for name, approval in load(game.folder / "assets.lock").approvals.items()}


def told(game: Game, *words: str, code: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(game.run(*words, "--json", code=code).stdout)
    return found


def test_a_picture_is_approved_by_git_s_identity(game: Game) -> None:
    done = game.run("approve", "hero")
    assert done.stdout == "approved  hero\n"
    assert done.stderr == f"\nby {ADA}\n\nhint: commit `assets.lock`\n"
    record = load(game.folder / "assets.lock").records
    line = f'hero = {{ pixels = "{next(iter(record.values())).picture.pixels}", by = "{ADA}" }}\n'
    assert f"\n[approvals]\n{line}\n[environments." in game.lock().decode()
    assert f"approved by {ADA}" in game.run("status").stdout
    assert f"  approved by {ADA}\n" in game.run("explain", "hero").stdout
    approvers = {item["name"]: item["approved_by"] for item in told(game, "status")["assets"]}
    assert approvers == {"hero": ADA, "items/axe": None, "items/bow": None}


def test_patterns_another_person_and_taking_it_back(game: Game) -> None:
    done = told(game, "approve", "items/*", "--by", GRACE)
    assert (done["approved"], done["by"]) == (["items/axe", "items/bow"], GRACE)
    assert told(game, "approve", "hero", "items/axe")["already"] == ["items/axe"]
    assert approvals(game) == {"hero": ADA, "items/axe": GRACE, "items/bow": GRACE}
    assert told(game, "approve", "--revoke", "items/*", "hero")["revoked"] == [
        "items/axe",
        "items/bow",
        "hero",
    ]
    assert approvals(game) == {}
    assert game.run("approve", "--revoke", "hero").stderr == "nothing was approved before\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "no asset is named\n\nhint: name assets, or `'*'` for all"),
        (("hera",), "asset `hera` is not in the lock\n\nhint: did you mean `hero`?"),
        (
            ("hero", "--by", "Ada"),
            '`Ada` is no person as git writes one\n\nhint: write it so: `--by "Ada <ada@x.org>"`',
        ),
        (
            ("hero", "--from", "marks.json"),
            "assets are named, and `--from` is given\n\nhint: leave one of the two away",
        ),
    ],
)
def test_what_can_not_be_approved(built: Game, words: tuple[str, ...], message: str) -> None:
    assert built.run("approve", *words, code=Exit.USAGE).stderr == f"error: {message}\n"


def test_what_lies_there_must_be_the_lock_s(game: Game) -> None:
    before = game.lock()
    picture = game.folder / "out" / "hero.png"
    picture.write_bytes(picture.read_bytes() + b"\0")
    assert game.run("approve", "items/axe", "hero", code=Exit.USAGE).stderr == (
        "error: what lies at `out/hero.png` is not the picture that the lock has of `hero`\n\n"
        "hint: run `artlock explain hero`, which tells why\n"
    )
    picture.unlink()
    assert game.run("approve", "items/axe", "hero", code=Exit.USAGE).stderr == (
        "error: `out/hero.png` is not there, so nobody saw it\n\nhint: run `artlock build hero`\n"
    )
    assert game.lock() == before


def test_without_an_identity_git_s_guess_is_no_person(game: Game) -> None:
    environ = {key: value for key, value in game.environ.items() if not key.startswith("GIT_AUTHOR")}
    done = subprocess.run(
        [sys.executable, "-m", "buildsys", "approve", "hero"],
        cwd=game.folder,
        env=environ,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.stderr == (
        "error: git does not know who you are, and an approval is somebody's\n\n"
        'hint: add `--by "NAME <MAIL>"`, or set `user.name` and `user.email` in git\n'
    )
    assert approvals(game) == {}


def test_check_approved_is_for_a_release(game: Game) -> None:
    assert game.run("check").returncode == 0
    found = told(game, "check", "--approved", code=Exit.UNAPPROVED)
    assert (found["agree"], found["kind"], found["code"]) == (False, "unapproved", Exit.UNAPPROVED)
    assert [(item["name"], item["code"]) for item in found["differences"]] == [
        ("hero", Exit.UNAPPROVED),
        ("items/axe", Exit.UNAPPROVED),
        ("items/bow", Exit.UNAPPROVED),
    ]
    said = game.run("check", "--approved", code=Exit.FAILED).stderr
    assert said.endswith("\n\nhint: look at them, then run `artlock approve hero items/axe items/bow`\n")
    game.run("approve", "hero", "items/axe")
    done = game.run("check", "--approved", code=Exit.FAILED)
    assert done.stdout == "unapproved  items/bow\n"
    assert done.stderr == (
        "\n1 picture that nobody has accepted\n\nhint: look at them, then run `artlock approve items/bow`\n"
    )
    assert game.run("check", "--approved", "hero", "items/axe").returncode == 0
    game.run("approve", "*")
    # A check that looked at everything before must not answer for this one.
    assert told(game, "check")["agree"]
    assert told(game, "check", "--approved")["agree"]
    game.run("approve", "--revoke", "hero")
    assert told(game, "check")["agree"]
    assert told(game, "check", "--approved", code=Exit.UNAPPROVED)["kind"] == "unapproved"
    assert game.run("check", "hero", code=Exit.USAGE).stderr == (
        "error: `check` takes no names: it looks at everything\n\nhint: add `--approved`, or name none\n"
    )


def test_an_approval_lapses_with_the_picture_and_not_before(game: Game) -> None:
    game.run("approve", "*")
    text = game.lock()
    # Another engine, the same picture: it is accepted as before.
    manifest = game.folder / "assets.toml"
    kept = manifest.read_text()
    manifest.write_text(kept.replace("[engines.noise]", "[engines.other]").replace('"noise"', '"other"'))
    game.build()
    assert set(approvals(game)) == {"hero", "items/axe", "items/bow"}
    manifest.write_text(kept.replace("a knight", "a horse"))
    game.build()
    assert set(approvals(game)) == {"items/axe", "items/bow"}
    # Who takes the change back with git has the approval back as well, and a build leaves it there.
    (game.folder / "assets.lock").write_bytes(text)
    game.build()
    assert set(approvals(game)) == {"items/axe", "items/bow"}
    manifest.write_text(kept)
    (game.folder / "assets.lock").write_bytes(text)
    game.build()
    assert game.lock() == text


def marks(game: Game, *items: dict[str, str], **other: object) -> str:
    path = game.folder.parent / "marks.json"
    path.write_text(json.dumps({"artlock": "marks", "version": 1, "marks": items, **other}))
    return str(path)


def test_the_marks_of_a_review(game: Game) -> None:
    lock = load(game.folder / "assets.lock")
    pixels = {str(name): str(record.picture.pixels) for name, record in lock.records.items()}
    file = marks(
        game,
        {"name": "hero", "pixels": pixels["hero"], "mark": "approved", "note": ""},
        {"name": "items/axe", "pixels": pixels["hero"], "mark": "approved", "note": ""},
        {"name": "items/bow", "pixels": pixels["items/bow"], "mark": "rejected", "note": "too small"},
        {"name": "gone", "pixels": pixels["hero"], "mark": "approved", "note": ""},
    )
    (game.folder / "out" / "hero.png").unlink()  # the person saw it on the page
    done = game.run("approve", "--from", file)
    assert done.stdout == "approved  hero\nrejected  items/bow: too small\n"
    assert done.stderr == (
        "warning: the mark on `items/axe` is skipped: its picture has changed since it was marked\n"
        "warning: the mark on `gone` is skipped: the lock does not have it\n"
        f"\nby {ADA}\n\nhint: commit `assets.lock`\n"
    )
    assert approvals(game) == {"hero": ADA}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "expected `object`, got `array`"),
        ("{", "input data was truncated"),
        ('{"artlock": "marks", "version": 2, "marks": []}', "invalid enum value 2 - at `$.version`"),
        (
            '{"artlock": "marks", "version": 1, "marks": [{"name": "a", "pixels": "x", "mark": "approved"}]}',
            "expected `str` matching regex '^[0-9a-f]{64}\\\\Z' - at `$.marks[0].pixels`",
        ),
    ],
)
def test_a_file_that_holds_no_marks(built: Game, tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "marks.json"
    file.write_text(text)
    assert built.run("approve", "--from", str(file), code=Exit.USAGE).stderr == (
        f"error: `marks.json` holds no marks of a review: {message}\n\n"
        "hint: export them from the page that `artlock diff --html` writes\n"
    )


def change(game: Game, prompt: str) -> None:
    manifest = game.folder / "assets.toml"
    manifest.write_text(manifest.read_text().replace("a knight", prompt))
    game.build()


def test_it_goes_with_the_picture_through_squash_rebase_and_cherry_pick(game: Game) -> None:
    game.run("approve", "items/axe", "--by", GRACE)
    game.commit()
    game.git("checkout", "--quiet", "-b", "feature")
    change(game, "a horse")
    game.commit()
    game.run("approve", "hero")
    game.commit()
    game.git("checkout", "--quiet", "main")
    (game.folder / "notes.txt").write_text("meanwhile")
    game.commit()
    main = game.git("rev-parse", "HEAD").strip()
    both = {"hero": ADA, "items/axe": GRACE}

    game.git("merge", "--squash", "feature")
    assert approvals(game) == both
    game.git("reset", "--hard", "--quiet", main)

    game.git("cherry-pick", "main..feature")
    assert approvals(game) == both
    game.git("reset", "--hard", "--quiet", main)

    game.git("checkout", "--quiet", "feature")
    game.git("rebase", "--quiet", "main")
    assert approvals(game) == both
    assert told(game, "check", "--approved", "hero", "items/axe")["agree"]
    assert len(game.build()["fresh"]) == len(ASSETS.split("[assets.")) - 1
    assert approvals(game) == both


def test_both_approve_the_same_and_ours_stays(game: Game) -> None:
    game.git("checkout", "--quiet", "-b", "feature")
    game.run("approve", "hero", "items/axe", "--by", GRACE)
    game.commit()
    game.git("checkout", "--quiet", "main")
    game.run("approve", "hero")
    game.commit()
    with pytest.raises(subprocess.CalledProcessError):
        game.git("merge", "feature")
    game.build()
    assert approvals(game) == {"hero": ADA, "items/axe": GRACE}
    assert b"<<<<<<<" not in game.lock()


def test_each_side_approves_its_own_and_the_picture_that_is_taken_brings_it(game: Game) -> None:
    """By git alone, whose marks cut the lock where its lines differ."""
    game.git("checkout", "--quiet", "-b", "feature")
    change(game, "a horse")
    game.run("approve", "hero", "--by", GRACE)
    game.commit()
    game.git("checkout", "--quiet", "main")
    change(game, "a dragon")
    game.run("approve", "hero")
    game.commit()
    with pytest.raises(subprocess.CalledProcessError):
        game.git("merge", "feature")
    game.git("checkout", "--quiet", "--theirs", "assets.toml")
    game.run("resolve", "hero", "--theirs")
    assert approvals(game) == {"hero": GRACE}
    assert told(game, "check", "--approved", "hero")["agree"]
