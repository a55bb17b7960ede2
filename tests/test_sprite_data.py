from __future__ import annotations

import hashlib
import re
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest
import sprite_kit as kit

from engines.stock.library import Library
from training.sprite import dataset, drawings, hues, latents, pictures
from training.sprite.words import LONGEST, NOTHING, Words, table


def test_the_sets_are_read_with_their_words(tmp_path: Path) -> None:
    found = [one for one in drawings.read(kit.packages(tmp_path)) if one.body]
    assert [one.key for one in found[:3]] == [
        "fluent-emoji/crossed-swords",
        "fluent-emoji/crossed-swords-1",
        "fluent-emoji/shield",
    ]
    swords, numbered, shield = found[:3]
    assert (swords.name, swords.aliases, swords.keywords) == ("crossed swords", (), ("weapon", "battle"))
    assert numbered.name == "crossed swords"
    assert (shield.box, swords.box) == ("0 0 128 128", "0 0 64 64")
    assert [style for style, _ in groupby(one.style for one in found)] == list(drawings.STYLES[1:])


def test_another_version_of_a_package_is_refused(tmp_path: Path) -> None:
    root = kit.packages(tmp_path)
    kit.put(root / "emojilib/package.json", {"version": "4.0.2"})
    with pytest.raises(ValueError, match=r"^`emojilib` is 4\.0\.2, not 4\.0\.3$"):
        next(drawings.read(root))


def test_game_icons_come_from_the_library_that_ships(tmp_path: Path) -> None:
    found = {one.key: one for one in drawings.read(kit.packages(tmp_path)) if not one.body}
    assert len(found) > 3500
    assert found["game-icons/broadsword"].aliases[0] == "sword"
    assert not any(part.isdigit() for key in found for part in key.split("-"))


def test_a_picture_fills_its_square_and_has_no_color_where_it_is_clear() -> None:
    own, *tinted = pictures.shown(kit.drawing("shield"))
    assert own.color == ""
    rows = np.flatnonzero(own.picture[..., 3].any(axis=1))
    assert (rows[0], rows[-1]) == (1, 30)
    assert (own.picture[..., :3] <= own.picture[..., 3:]).all()
    assert len({one.color for one in tinted}) == 2
    for one in tinted:
        assert hues.share(one.picture, one.color) > 0.5, one.color


def test_a_game_icon_is_painted_in_the_color_that_is_asked_for() -> None:
    (broadsword,) = (icon for icon in Library().icons if icon.key == "game-icons/broadsword")
    drawing = drawings.Drawing(broadsword.key, "painted", "broadsword", ("sword",), (), "", "")
    several = list(pictures.shown(drawing))
    assert sum(not one.color for one in several) in (1, 2)
    assert len({one.picture.tobytes() for one in several}) == len(several)
    # Steel is blue enough to be counted as such, so only colours that it is not are asked about.
    asked = [one for one in several if one.color in {"red", "orange", "yellow", "green", "purple", "gold"}]
    assert all(hues.share(one.picture, one.color) > 0.3 for one in asked)


def test_the_training_set_does_not_depend_on_the_number_of_processes(tmp_path: Path) -> None:
    several = [kit.drawing(name, style) for name in kit.SHAPES for style in kit.FILLS]
    digests = set()
    for processes in (1, 2):
        folder = tmp_path / str(processes)
        dataset.write(dataset.make(several, processes), folder)
        digests.add(dataset.digest(folder))
    assert len(digests) == 1
    read = dataset.load(tmp_path / "1")
    assert len(read.captions) == 3 * len(several)
    assert read.captions[0] == dataset.Caption("glossy/shield", "glossy", "shield", (), ("shield thing",), "")


def test_the_bytes_of_a_training_set_are_those_of_last_year() -> None:
    """Another digest means another Pillow, resvg or code: a run that goes on would go on with other data."""
    shapes = b"".join(
        one.picture.tobytes() for name in kit.SHAPES for one in pictures.shown(kit.drawing(name))
    )
    assert hashlib.sha256(shapes).hexdigest()[:16] == "8c88e269463bda91"


def test_prompts_are_read_word_by_word() -> None:
    words = Words()
    read = words.read("The Sword of a xqzzyv King, 7!")
    assert [words.words[word] for word in read] == ["sword", "king"]
    rows = table([read, [], list(range(LONGEST + 2))])
    assert rows.shape == (3, LONGEST)
    assert rows[0].tolist() == [*read, *[NOTHING] * (LONGEST - 2)]
    assert (rows[1] == NOTHING).all()
    # Of a longer prompt the last words count: the thing comes last.
    assert rows[2].tolist() == list(range(2, LONGEST + 2))


def test_components_bring_pictures_back() -> None:
    several = kit.dataset().pictures
    whole = latents.fit(several, 40)
    assert np.allclose(whole.basis.T @ whole.basis, np.eye(40), atol=1e-4)
    assert (np.diff(whole.deviation) <= 1e-6).all()
    assert np.isclose((whole.deviation**2).mean(), 1, atol=1e-5)
    back = whole.decode(whole.encode(several))
    assert np.abs(back - several / 255).max() < 0.02
    few = latents.fit(several, 4)
    assert np.abs(few.decode(few.encode(several)) - several / 255).mean() > 0.01


@pytest.mark.parametrize(
    ("color", "right", "wrong"),
    [
        ("red", (200, 30, 30), (40, 60, 220)),
        ("blue", (40, 60, 220), (40, 160, 60)),
        ("gold", (230, 180, 50), (200, 30, 30)),
        ("white", (240, 240, 240), (90, 90, 90)),
        ("black", (20, 20, 24), (200, 200, 200)),
        ("grey", (120, 120, 126), (240, 120, 20)),
    ],
)
def test_a_color_is_told_from_another(color: str, right: tuple[int, ...], wrong: tuple[int, ...]) -> None:
    picture = np.zeros((32, 32, 4), np.uint8)
    picture[:8] = (*right, 255)
    picture[8:16] = (*wrong, 255)
    assert hues.share(picture, color) == pytest.approx(0.5)
    assert hues.share(picture[16:], color) == 0


def test_nothing_that_ships_imports_what_makes_it() -> None:
    root = Path(dataset.__file__).parents[2]
    shipped = [path for folder in ("buildsys", "engines") for path in (root / folder).rglob("*.py")]
    assert len(shipped) > 100
    for path in shipped:
        assert not re.search(
            r"^\s*(from|import) training\b", path.read_text(encoding="utf-8"), re.MULTILINE
        ), path
