from __future__ import annotations

import io
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from engines import stock
from engines.protocol import Credit, Done, ErrorKind, Failure, Open, Request
from engines.stock import backdrop, dice, palette, pixel
from engines.stock.draw import Style
from engines.stock.engine import Stock

_CARD = Path(stock.__file__).with_name("adapter.toml")


@pytest.fixture(scope="module")
def engine() -> Stock:
    return Stock()


def _request(
    prompt: str, *, seed: int = 7, size: tuple[int, int] | None = (64, 64), **parameters: Any
) -> Request:
    return Request(
        id="1", asset="a", output="a.png", prompt=prompt, seed=seed, size=size, parameters=parameters
    )


def _render(engine: Stock, request: Request, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Done | Failure:
    # The child works in the staging folder, as `serve` does.
    monkeypatch.chdir(folder)
    (result,) = engine.render([request], lambda *_: None)
    return result


@pytest.fixture
def draw(engine: Stock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    def made(prompt: str, **values: Any) -> NDArray[np.uint8]:
        result = _render(engine, _request(prompt, **values), tmp_path, monkeypatch)
        assert isinstance(result, Done), result
        with Image.open(io.BytesIO((tmp_path / "a.png").read_bytes())) as image:
            return np.asarray(image)

    return made


@pytest.fixture
def fail(engine: Stock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    def failed(prompt: str, **values: Any) -> Failure:
        result = _render(engine, _request(prompt, **values), tmp_path, monkeypatch)
        assert isinstance(result, Failure)
        assert result.kind is ErrorKind.BAD_REQUEST
        return result

    return failed


def test_load_gives_an_engine_that_tells_its_versions(tmp_path: Path) -> None:
    opening = Open(
        protocol=1, adapter="stock", engine="stock", model="", revision="", staging=str(tmp_path), settings={}
    )
    environment = stock.load(opening).environment()
    assert set(environment) == {"numpy", "pillow", "pyoxipng", "resvg-py"}
    assert environment["resvg-py"] == "0.5.0"


def test_a_picture_carries_the_credit_of_its_icon(
    engine: Stock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = _render(engine, _request("anchor"), tmp_path, monkeypatch)
    assert isinstance(done, Done)
    assert done.credits == (
        Credit(title="anchor", author="Lorc", licence="CC-BY-3.0", source="https://game-icons.net"),
    )
    assert (done.sent, done.notes) == ({"icon": "game-icons/anchor"}, ())
    assert done.output == "a.png"


@pytest.mark.parametrize("style", [style.value for style in Style])
@pytest.mark.parametrize("size", [(16, 16), (48, 64), (200, 120)])
def test_every_style_has_the_size_and_real_alpha(draw: Any, style: str, size: tuple[int, int]) -> None:
    pixels = draw("wolf", style=style, size=size)
    assert pixels.shape == (size[1], size[0], 4)
    assert pixels[..., 3].max() == 255
    assert pixels[..., 3].min() == 0
    assert not pixels[pixels[..., 3] == 0].any()


@pytest.mark.parametrize("size", [16, 32, 64])
@pytest.mark.parametrize("collection", ["game-icons", "fluent"])
def test_pixel_art_has_hard_edges_and_few_colors(draw: Any, size: int, collection: str) -> None:
    pixels = draw("castle", style="pixel", size=(size, size), set=collection)
    assert set(np.unique(pixels[..., 3])) <= {0, 255}
    inside = pixels[pixels[..., 3] == 255]
    assert 4 <= len(np.unique(inside, axis=0)) <= 2 * pixel.COLORS


def test_large_pixel_art_is_small_pixel_art_enlarged(draw: Any) -> None:
    large = draw("castle", style="pixel", size=(256, 256))
    small = draw("castle", style="pixel", size=(32, 32))
    assert (large[::8, ::8] == small).all()
    assert (large == np.repeat(np.repeat(small, 8, axis=0), 8, axis=1)).all()


@pytest.mark.parametrize(
    ("size", "grid"), [(16, 16), (64, 64), (96, 48), (128, 32), (256, 32), (200, 40), (1024, 32), (101, 32)]
)
def test_the_grid_divides_the_size_where_it_can(size: int, grid: int) -> None:
    assert pixel.grid_of(size) == grid


def test_the_same_request_gives_the_same_bytes(draw: Any) -> None:
    assert (draw("sword", seed=3) == draw("sword", seed=3)).all()


def test_seeds_vary_the_sword_but_never_the_thing(
    engine: Stock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    icons: set[str] = set()
    for seed in range(12):
        done = _render(engine, _request("sword", seed=seed), tmp_path, monkeypatch)
        assert isinstance(done, Done)
        icons.add(str(done.sent["icon"]))
    assert len(icons) > 1
    assert all("sword" in icon for icon in icons)


def _mean(pixels: NDArray[np.uint8]) -> NDArray[np.int64]:
    solid = pixels[pixels[..., 3] > 200][:, :3].astype(np.int64)
    mean: NDArray[np.int64] = solid.sum(axis=0) // len(solid)
    return mean


@pytest.mark.parametrize("collection", ["game-icons", "fluent", "noto"])
def test_color_words_color(draw: Any, collection: str) -> None:
    red = _mean(draw("red apple", set=collection))
    green = _mean(draw("green apple", set=collection))
    blue = _mean(draw("blue apple", set=collection))
    assert red.argmax() == 0
    assert green.argmax() == 1
    assert blue.argmax() == 2


def test_colors_of_the_manifest_win_over_the_prompt(draw: Any) -> None:
    assert _mean(draw("red apple", colors=["#2040ff"])).argmax() == 2


def test_a_health_potion_is_red_and_a_mana_potion_blue(draw: Any) -> None:
    for seed in range(4):
        assert _mean(draw("health potion", seed=seed)).argmax() == 0
        assert _mean(draw("mana potion", seed=seed)).argmax() == 2


def test_an_icon_can_be_pinned(engine: Stock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, key in (("broadsword", "game-icons/broadsword"), ("noto/castle", "noto/castle")):
        done = _render(engine, _request("whatever", icon=name), tmp_path, monkeypatch)
        assert isinstance(done, Done)
        assert done.sent == {"icon": key}


def test_mirror_turns_it(draw: Any) -> None:
    plain, turned = draw("key", mirror="no", shadow="none"), draw("key", mirror="yes", shadow="none")
    assert (plain[..., 3] == turned[:, ::-1, 3]).all()
    # The light stays where it is.
    assert (plain != turned[:, ::-1]).any()


def test_outline_and_shadow_can_be_left_out(draw: Any) -> None:
    bare = draw("moon", outline="none", shadow="none")
    lined = draw("moon", outline="thick", shadow="none")
    cast = draw("moon", outline="none", shadow="hard")
    assert (bare[..., 3] > 0).sum() < min((lined[..., 3] > 0).sum(), (cast[..., 3] > 0).sum())


@pytest.mark.parametrize("shape", sorted(backdrop.SHAPES))
def test_every_backdrop_lies_behind(draw: Any, shape: str) -> None:
    alone, backed = draw("wolf", shadow="none"), draw("wolf", backdrop=shape)
    assert (backed[..., 3] == 255).sum() > (alone[..., 3] == 255).sum() * 5 // 4


def test_nothing_understood_is_a_bad_request(fail: Any) -> None:
    failure = fail("xqzzyv")
    assert failure.message == "no icon fits the prompt `xqzzyv`"
    assert failure.hint == "name the thing with a plain noun, such as `sword`, or pin an icon with `icon`"


def test_an_unknown_icon_is_a_bad_request(fail: Any) -> None:
    failure = fail("sword", icon="brodsword")
    assert failure.message == "there is no icon `brodsword`"
    assert failure.hint == "did you mean `broadsword`?"


def test_an_unknown_color_is_a_bad_request(fail: Any) -> None:
    failure = fail("sword", colors=["golld"])
    assert failure.message == "`golld` is no colour that this engine knows"
    assert failure.hint == "did you mean `gold`?"


def test_a_request_without_size_is_a_bad_request(fail: Any) -> None:
    assert fail("sword", size=None).message == "the request has no size"


def test_one_failure_does_not_stop_the_others(
    engine: Stock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    results = list(engine.render([_request("xqzzyv"), _request("sword")], lambda *_: None))
    assert [type(result) for result in results] == [Failure, Done]


def test_dice_are_fixed_for_ever() -> None:
    assert [dice.roll(7, "icon", 1000) for _ in range(2)] == [dice.roll(7, "icon", 1000)] * 2
    assert [dice.roll(seed, "icon", 6) for seed in range(8)] == _ROLLS
    assert dice.roll(7, "icon", 1000) != dice.roll(7, "mirror", 1000)


_ROLLS = [1, 0, 2, 3, 0, 5, 4, 4]


def _parameters() -> Mapping[str, Any]:
    card: Mapping[str, Any] = tomllib.loads(_CARD.read_text(encoding="utf-8"))["parameters"]
    return card


def test_the_card_offers_what_the_engine_has() -> None:
    parameters = _parameters()
    assert parameters["style"]["choices"] == [style.value for style in Style]
    assert set(parameters["palette"]["choices"]) == {"auto", *palette.palettes()}
    assert set(parameters["backdrop"]["choices"]) == {"auto", "none", "any", *backdrop.SHAPES}
