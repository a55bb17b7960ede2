"""`artlock adopt`: a hand edit becomes a source, whatever interrupts it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from game import Game
from import_kit import picture
from PIL import Image

from buildsys import adoption
from buildsys.errors import ArtlockError
from buildsys.manifest.model import AssetName
from buildsys.session import Session

ASSETS = """\
# The hero.
[assets.hero]  # everyone sees him
role = "sprite"
prompt = "knight"   # of the moon
seed = 5
size = [16, 16]
finish = [{ resize = [32, 48] }]
profiles = ["draft"]

# The small one.
[assets.small]
from = "hero"
finish = [{ resize = [8, 8] }]
"""
ADOPTED = """\
# The hero.
[assets.hero]  # everyone sees him
source = "art/hero.png"
source_type = "unknown"
# Before it was adopted:
# role = "sprite"
# prompt = "knight"   # of the moon
# seed = 5
# size = [16, 16]
# finish = [{ resize = [32, 48] }]
profiles = ["draft"]

# The small one.
"""


@pytest.fixture
def game(tmp_path: Path) -> Game:
    made = Game(tmp_path / "game", tmp_path / "cache")
    made.write(ASSETS)
    made.build()
    made.made()
    return made


def manifest(game: Game) -> str:
    return (game.folder / "assets.toml").read_text()


def paint(game: Game, shift: int = 0) -> bytes:
    """Paint over the hero, and give the file's bytes."""
    path = game.folder / "out" / "hero.png"
    image = picture()
    image.putpixel((0, shift), (255, 0, 0))
    image.save(path)
    return path.read_bytes()


def test_an_edited_output_becomes_a_source(game: Game) -> None:
    painted = paint(game)
    assert game.build() == {"edited": ["hero"], "built": ["small"]}
    done = game.run("adopt", "hero")
    assert done.stdout == "out/hero.png → art/hero.png, the source of hero\n"
    assert ADOPTED in manifest(game)
    assert (game.folder / "art" / "hero.png").read_bytes() == painted
    with Image.open(game.folder / "out" / "hero.png") as image:
        now = image.convert("RGB").tobytes()
    with Image.open(game.folder / "art" / "hero.png") as image:
        assert image.tobytes() == now
    # The canonical encoder wrote it, so what is made of it may be made once more; then all is quiet.
    game.build()
    assert game.build() == {"fresh": ["hero", "small"]}
    assert game.made() == []
    game.run("check")


def test_the_way_back_is_a_comment_away(game: Game) -> None:
    before = (game.folder / "out" / "hero.png").read_bytes()
    text = manifest(game)
    paint(game)
    game.run("adopt", "hero")
    (game.folder / "assets.toml").write_text(text)
    assert game.build() == {"restored": ["hero"], "fresh": ["small"]}
    assert (game.folder / "out" / "hero.png").read_bytes() == before


def test_a_dry_run_changes_nothing(game: Game) -> None:
    paint(game)
    before = manifest(game)
    assert game.run("adopt", "hero", "-n", "--to", "hand").stdout == (
        "out/hero.png → hand/hero.png, the source of hero\n"
    )
    assert manifest(game) == before
    assert not (game.folder / "hand").exists()


def test_a_file_that_lies_there_before_the_first_build_is_adopted(game: Game) -> None:
    game.write(ASSETS + '\n[assets.tree]\nrole = "sprite"\nprompt = "tree"\nseed = 1\nsize = [16, 16]\n')
    picture().save(game.folder / "out" / "tree.png")
    game.run("adopt", "tree")
    assert game.build()["fresh"] == ["hero", "small", "tree"]
    assert game.made() == []


class Killed(BaseException):
    pass


@pytest.mark.parametrize("step", ["copied", "edited"])
def test_an_interrupted_adoption_goes_on(step: str, game: Game, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARTLOCK_CACHE_DIR", str(game.cache))
    painted = paint(game)

    def stop(*_: object, **__: object) -> None:
        raise Killed

    if step == "copied":
        monkeypatch.setattr("buildsys.manifest.edit.Draft.save", stop)
    else:
        monkeypatch.setattr("buildsys.adoption.build", stop)
    session = Session.open(game.folder)
    with pytest.raises(Killed):
        adoption.carry_out(session, adoption.plan(session, ["hero"]))
    assert (game.folder / "out" / "hero.png").read_bytes() == painted
    assert (game.folder / "art" / "hero.png").read_bytes() == painted
    # A build in between keeps the painted file, too.
    assert game.build()["edited"] == ["hero"]
    game.run("adopt", "hero")
    assert ADOPTED in manifest(game)
    assert (game.folder / "art" / "hero.png").read_bytes() == painted
    game.build()
    assert game.build() == {"fresh": ["hero", "small"]}


def test_a_picture_that_is_painted_meanwhile_is_not_overwritten(
    game: Game, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARTLOCK_CACHE_DIR", str(game.cache))
    paint(game)
    session = Session.open(game.folder)
    items = adoption.plan(session, ["hero"])
    newer = paint(game, 3)
    with pytest.raises(ArtlockError) as caught:
        adoption.carry_out(session, items)
    assert str(caught.value) == ("`out/hero.png` changed while it was adopted\n\nhint: run the command again")
    assert (game.folder / "out" / "hero.png").read_bytes() == newer


def refused(game: Game, name: str, *words: str, code: int = 2) -> str:
    before = manifest(game)
    error = game.run("adopt", name, *words, code=code).stderr
    assert manifest(game) == before
    return error


def test_what_can_not_be_adopted_is_told(game: Game) -> None:
    assert refused(game, "hero") == (
        "error: the file of `hero` was not changed by hand\n\nhint: change `out/hero.png` first\n"
    )
    paint(game)
    game.run("adopt", "hero")
    newer = paint(game, 5)
    assert refused(game, "hero") == (
        "error: `hero` is made from `art/hero.png` already\n\nhint: copy `out/hero.png` over `art/hero.png`\n"
    )
    assert (game.folder / "out" / "hero.png").read_bytes() == newer


def test_a_file_that_is_no_picture_is_told(game: Game) -> None:
    picture().save(game.folder / "out" / "hero.png", "JPEG")
    assert refused(game, "hero").startswith(
        "error: `out/hero.png` can't be adopted: its file is not a PNG: it starts with"
    )
    assert not (game.folder / "art").exists()


def test_another_file_in_the_way_stays(game: Game) -> None:
    paint(game)
    (game.folder / "art").mkdir()
    (game.folder / "art" / "hero.png").write_bytes(b"a person's")
    assert refused(game, "hero", code=1) == (
        "error: another file lies at `art/hero.png`\n\nhint: choose another folder with `--to`\n"
    )
    assert (game.folder / "art" / "hero.png").read_bytes() == b"a person's"
    game.run("adopt", "hero", "--to", "art/hand")
    assert 'source = "art/hand/hero.png"' in manifest(game)


def test_an_asset_of_a_matrix_is_told(game: Game) -> None:
    game.write(
        '[assets."gems/{color}"]\nrole = "sprite"\nprompt = "{color}"\nseed = 1\nsize = [16, 16]\n'
        'matrix = { color = ["red", "blue"] }\n'
    )
    game.build()
    picture().save(game.folder / "out" / "gems" / "red.png")
    assert refused(game, "gems/red").startswith(
        "error: asset `gems/red` comes from the matrix of `gems/{color}` and has no table of its own"
    )
    assert not (game.folder / "art").exists()


def test_of_several_scales_the_largest_is_adopted(game: Game) -> None:
    hero, _, _ = ASSETS.partition("# The small one.")
    game.write(hero.replace("finish = [{ resize = [32, 48] }]", "scales = [1, 2]"))
    (game.folder / "out" / "small.png").unlink()
    game.build()
    picture((16, 16)).save(game.folder / "out" / "hero@2x.png")
    done = game.run("adopt", "hero")
    assert done.stdout == "out/hero@2x.png → art/hero.png, the source of hero\n"
    assert 'scales = [1, 2]\nprofiles = ["draft"]' in manifest(game)
    game.run("check")
    assert game.build() == {"fresh": ["hero", "hero@1x"]}
    assert refused(game, "hero@1x") == (
        "error: the file of `hero@1x` was not changed by hand\n\nhint: change `out/hero.png` first\n"
    )
    picture((8, 8)).save(game.folder / "out" / "hero.png")
    assert refused(game, "hero@1x") == (
        "error: `hero@1x` is one of several files of `hero`\n\nhint: name `hero`\n"
    )


def test_another_scale_that_was_painted_is_kept(game: Game) -> None:
    game.write(ASSETS.replace("finish = [{ resize = [32, 48] }]", "scales = [1, 2]"))
    game.build()
    picture((16, 16)).save(game.folder / "out" / "hero@2x.png")
    picture((8, 8)).save(game.folder / "out" / "hero.png")
    painted = (game.folder / "out" / "hero.png").read_bytes()
    found = json.loads(game.run("adopt", "hero", "--json").stdout)
    assert (found["built"], found["edited"]) == (["hero"], ["hero@1x"])
    assert (game.folder / "out" / "hero.png").read_bytes() == painted


COMMAND = """\
[engines.blend]
adapter = "command"
run = ["true", "{output}"]

[assets.hero]
engine = "blend"
size = [16, 16]
parameters = { image = "art/pose.png" }
"""


def test_a_file_that_an_engine_reads_is_no_source(game: Game) -> None:
    game.write(COMMAND)
    (game.folder / "art").mkdir()
    picture((8, 8)).save(game.folder / "art" / "pose.png")
    pose = (game.folder / "art" / "pose.png").read_bytes()
    paint(game)
    assert game.run("adopt", "hero").stdout == "out/hero.png → art/hero.png, the source of hero\n"
    assert (game.folder / "art" / "pose.png").read_bytes() == pose
    assert '# parameters = { image = "art/pose.png" }' in manifest(game)
    assert game.build()["fresh"] == ["hero"]


def test_what_a_picture_must_be_stays(game: Game) -> None:
    game.write(
        ASSETS.replace("seed = 5\n", 'seed = 5\ngates = { bytes = "1 kB" }\ntile = false\nformat = "png"\n')
    )
    picture((16, 16)).save(game.folder / "out" / "hero.png")
    game.run("adopt", "hero")
    assert '\ngates = { bytes = "1 kB" }\ntile = false\nformat = "png"\n' in manifest(game)


TITLE = """\
[assets.title]
engine = "vector"
text = "GAME {{OVER}}"
size = [128, 64]
"""


@pytest.mark.parametrize(
    ("gates", "kept"),
    [
        ("lettering = {}", 'lettering = { text = "GAME {{OVER}}" }'),
        ("lettering = true", 'lettering = { text = "GAME {{OVER}}" }'),
        ("lettering = { case = true }", 'lettering = { case = true, text = "GAME {{OVER}}" }'),
        ('lettering = "GAME"', 'lettering = "GAME"'),
        ('lettering = { text = "GAME {{OVER}}" }', 'lettering = { text = "GAME {{OVER}}" }'),
        ("lettering = false", "lettering = false"),
        (
            'size = [128, 64], lettering = {tolerance = 0.1, case = true}, bytes = "1 MB"',
            (
                'size = [128, 64], lettering = {tolerance = 0.1, case = true, text = "GAME {{OVER}}"}, '
                'bytes = "1 MB"'
            ),
        ),
        (
            'size = [128, 64], lettering = true, bytes = "1 MB"',
            'size = [128, 64], lettering = { text = "GAME {{OVER}}" }, bytes = "1 MB"',
        ),
    ],
)
def test_a_gate_looks_for_the_text_that_it_had(
    gates: str, kept: str, game: Game, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise Killed

    monkeypatch.setenv("ARTLOCK_CACHE_DIR", str(game.cache))
    # The reader is an extra that may not be installed.
    monkeypatch.setattr("buildsys.adoption.build", stop)
    game.write(TITLE + f"gates = {{ {gates} }}\n")
    picture().save(game.folder / "out" / "title.png")
    session = Session.open(game.folder)
    before = session.manifest.assets[AssetName("title")].gates
    with pytest.raises(Killed):
        adoption.carry_out(session, adoption.plan(session, ["title"]))
    assert f"\ngates = {{ {kept} }}\n" in manifest(game)
    assert Session.open(game.folder).manifest.assets[AssetName("title")].gates == before


def test_the_gate_of_a_style_looks_for_the_text_that_it_had(
    game: Game, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise Killed

    monkeypatch.setenv("ARTLOCK_CACHE_DIR", str(game.cache))
    monkeypatch.setattr("buildsys.adoption.build", stop)
    game.write("[styles.sign]\ngates = { lettering = { tolerance = 0.1 } }\n\n" + TITLE + 'style = "sign"\n')
    picture().save(game.folder / "out" / "title.png")
    session = Session.open(game.folder)
    before = session.manifest.assets[AssetName("title")].gates
    with pytest.raises(Killed):
        adoption.carry_out(session, adoption.plan(session, ["title"]))
    assert Session.open(game.folder).manifest.assets[AssetName("title")].gates == before


def test_a_program_is_told_where_the_sources_are(game: Game) -> None:
    paint(game)
    found = json.loads(game.run("adopt", "hero", "--json").stdout)
    assert found["sources"] == {"hero": "art/hero.png"}
    assert found["built"] == ["hero"]
