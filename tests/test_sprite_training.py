from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sprite_kit as kit
import torch

from engines.sprite.painter import calm
from engines.sprite.words import NOTHING, Words, table
from training.sprite import captions, dataset, pictures, sample
from training.sprite.drawings import STYLES
from training.sprite.material import Material, Plan, Reader
from training.sprite.model import Flow
from training.sprite.train import Run, load, save, train

PLAN = Plan(batch=16, warm=4)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    dataset.write(kit.dataset(), folder)
    return folder


def run(data: Path) -> Run:
    return Run(Material(data, kit.SMALL, PLAN), kit.SMALL, PLAN)


def flow() -> Flow:
    torch.manual_seed(0)
    made = Flow(kit.SMALL, torch.linspace(2, 0.2, kit.SMALL.latents))
    # New networks leave through zeros: nothing could be told from nothing.
    torch.nn.init.normal_(made.leave.weight)
    for block in made.blocks:
        torch.nn.init.normal_(block.get_parameter("narrow.weight"))
    return made.eval()


def test_what_would_be_right_is_what_cleans() -> None:
    clean, noisy = torch.randn(2, 5, kit.SMALL.latents).unbind()
    moments = torch.tensor([0.0, 0.1, 0.5, 0.9, 0.98])
    model = flow()
    right = model.target(clean, noisy, moments)
    assert torch.allclose(model.clean(noisy, moments, right), clean, atol=1e-4)


def test_the_residual_of_the_data_is_about_one_large_at_every_time() -> None:
    model = flow()
    clean = torch.randn(4000, kit.SMALL.latents) * model.deviation
    for moment in (0.01, 0.3, 0.7, 0.97):
        moments = torch.full((len(clean),), moment)
        noisy = moment * clean + (1 - moment) * torch.randn_like(clean)
        size = model.target(clean, noisy, moments).square().mean().item()
        assert size == pytest.approx(1, abs=0.1)


def test_a_condition_knows_words_their_order_and_nothing_of_its_neighbours() -> None:
    model, words = flow(), Words()
    reader = Reader(words.vectors, np.array([words.index["sword"]]))

    def condition(*prompts: str) -> torch.Tensor:
        said = reader(table([words.read(prompt) for prompt in prompts]))
        with torch.no_grad():
            return model.condition(*said, torch.zeros(len(prompts), dtype=torch.int64))

    alone = condition("sword")
    assert torch.allclose(condition("red dragon", "sword", "")[1], alone[0], atol=1e-6)
    assert not torch.allclose(condition("dragon sword"), condition("sword dragon"), atol=1e-3)
    assert torch.isfinite(condition("")).all()
    assert reader.own[words.index["sword"]] == 1
    assert reader.own[words.index["dragon"]] == 0


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(data: Path, tmp_path: Path) -> None:
    whole = run(data)
    for _ in range(6):
        whole.advance(whole.rate())
    first = run(data)
    for _ in range(3):
        first.advance(first.rate())
    save(first.state(), tmp_path / "checkpoint.pt")
    second = run(data)
    second.restore(load(tmp_path / "checkpoint.pt"))
    for _ in range(3):
        second.advance(second.rate())
    assert second.step == 6
    assert second.loss == whole.loss
    for left, right in zip(whole.means, second.means, strict=True):
        assert torch.equal(left, right)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_a_model_may_grow_deeper_and_draws_the_same_at_first(data: Path) -> None:
    shallow = run(data)
    for _ in range(20):
        shallow.advance(3e-3)
    sizes = replace(kit.SMALL, depth=kit.SMALL.depth + 1)
    deep = Run(Material(data, sizes, PLAN), sizes, PLAN)
    deep.restore(shallow.state())
    before, after = (
        sample.Sampler(one.state(), one.material.words).latents(["gem"], 1) for one in (shallow, deep)
    )
    assert np.allclose(before, after, atol=1e-5)
    for _ in range(3):
        deep.advance(3e-3)
    assert deep.step == 23
    assert deep.flow.get_parameter(f"blocks.{kit.SMALL.depth}.narrow.weight").abs().max() > 0


def test_two_workers_train_one_model_for_as_many_steps_as_asked(data: Path, tmp_path: Path) -> None:
    plan = replace(PLAN, rate=3e-3)
    both = Run(Material(data, kit.SMALL, plan), kit.SMALL, plan, workers=2)
    for _ in range(4):
        both.advance(both.rate())
    train(both, tmp_path, 1, decay=300)
    # Each may have begun a step when the other took the last.
    assert both.step in (304, 305)
    assert both.loss < 0.95
    ended = load(tmp_path / "decayed.pt")
    assert ended["step"] == both.step
    assert not (tmp_path / "checkpoint.pt").exists()


def test_a_run_ends_with_its_time_and_leaves_a_checkpoint(data: Path, tmp_path: Path) -> None:
    short = run(data)
    train(short, tmp_path, minutes=0.01, decay=0)
    assert short.step > 0
    assert load(tmp_path / "checkpoint.pt")["step"] == short.step
    short.stop.set()
    train(short, tmp_path, minutes=60, decay=0)
    assert load(tmp_path / "checkpoint.pt")["step"] == short.step


def test_training_learns_the_shapes(data: Path) -> None:
    taught = run(data)
    for _ in range(300):
        taught.advance(3e-3)
    sampler = sample.Sampler(taught.state(), taught.material.words)
    names = list(kit.SHAPES)
    read = dataset.load(data)
    held = {
        caption.key
        for caption, out in zip(read.captions, captions.held_out(read.captions), strict=True)
        if out
    }
    hits = []
    for style in kit.FILLS:
        drawn = sampler.draw(names, 1, style=style, guidance=1.5).astype(float)
        right = np.stack([next(pictures.shown(kit.drawing(name, style))).picture for name in names])
        nearest = np.abs(drawn[:, None] - right).mean(axis=(2, 3, 4)).argmin(axis=1)
        hits += [
            number == nearest[number] for number, name in enumerate(names) if f"{style}/{name}" not in held
        ]
    assert np.mean(hits) > 0.9


def test_a_picture_begins_with_less_noise_where_it_would_stay_as_grain() -> None:
    sizes = calm(256)
    assert sizes[0] == pytest.approx(0.98, abs=0.01)
    assert sizes[-1] == pytest.approx(0.3, abs=0.01)
    assert (np.diff(sizes) < 0).all()


def test_a_prompt_without_a_style_is_drawn_in_one_that_has_the_thing(data: Path) -> None:
    taught = run(data)
    sampler = sample.Sampler(taught.state(), taught.material.words)
    read = sampler.words.read
    found = {sampler.usual(read("old sword"), seed) for seed in range(40)}
    assert found == {STYLES.index(style) for style in kit.FILLS}
    assert sampler.usual(read("sword of xqzzyv"), 1) == sampler.usual(read("sword"), 1)
    assert sampler.usual(read("dragon"), 1) == 0


def test_where_a_word_alone_is_a_name_only_that_chooses_a_style() -> None:
    words = Words()
    told = [
        dataset.Caption("glossy/a", "glossy", "eye amulet", (), (), ""),
        dataset.Caption("painted/b", "painted", "gem pendant", ("amulet",), (), ""),
        dataset.Caption("flat/c", "flat", "old key", (), (), ""),
    ]
    said = captions.sayings(told, words)
    amulet, key = (words.index[word] for word in ("amulet", "key"))
    counts = captions.habits(said, np.array([amulet, key]))
    assert [np.flatnonzero(row).tolist() for row in counts] == [
        [STYLES.index("painted")],
        [STYLES.index("flat")],
    ]


def test_plain_lessons_are_one_word_and_what_it_alone_names() -> None:
    words = Words()
    told = [
        dataset.Caption("painted/a", "painted", "broad sword", ("sword",), (), ""),
        dataset.Caption("painted/a", "painted", "broad sword", ("sword",), (), "red"),
        dataset.Caption("glossy/b", "glossy", "key", (), (), ""),
        dataset.Caption("flat/b", "flat", "key", (), (), ""),
        dataset.Caption("flat/c", "flat", "old shield", (), (), ""),
    ]
    pictures_, said = captions.plain(told, words).lessons(3000, np.random.default_rng(0))
    spoken = [words.words[row[0]] for row in said]
    assert (said[:, 1:] == NOTHING).all()
    assert {*zip(pictures_.tolist(), spoken, strict=True)} == {(0, "sword"), (2, "key"), (3, "key")}
    # Stock's lexicon has the sword: it alone is half, and of the other half again half.
    assert 0.7 < np.mean(np.array(spoken) == "sword") < 0.8


def test_the_share_of_plain_lessons_is_what_was_asked_for(data: Path) -> None:
    plan = replace(PLAN, plain=0.75)
    _, words, _ = Material(data, kit.SMALL, plan).batch(400)
    alone = (words[100:, 1:] == NOTHING).all(axis=1)
    assert len(words) == 400
    assert alone.all()
    assert (words[100:, 0] != NOTHING).all()


def test_a_picture_that_is_held_out_is_never_shown(data: Path) -> None:
    read = dataset.load(data)
    held = captions.held_out(read.captions)
    assert 0 < held.sum() < len(held) / 4
    assert len(Material(data, kit.SMALL, PLAN).latents) == (~held).sum()
    few = tuple(caption for caption in read.captions if caption.style != "simple")
    assert not captions.held_out(few).any()


def test_a_thing_in_its_own_colors_is_shown_more_often() -> None:
    own = dataset.Caption("painted/broadsword", "painted", "broad sword", ("sword",), (), "")
    several = [
        own,
        own,
        dataset.Caption("painted/broadsword", "painted", "broad sword", ("sword",), (), "red"),
    ]
    shares = captions.weights(several)
    assert shares.mean() == pytest.approx(1)
    assert shares[0] == shares[1] == pytest.approx(2 * shares[2])


def test_what_is_said_of_a_picture_is_true() -> None:
    words = Words()
    caption = dataset.Caption("noto/x", "cartoon", "crossed swords", ("swords",), ("battle",), "red")
    said = captions.sayings([caption], words)
    speaker = captions.Speaker(said, np.random.default_rng(0))
    table_, styles = speaker.say(np.zeros(2000, np.int64))
    spoken = [[words.words[word] for word in row if word != NOTHING] for row in table_]
    assert {word for row in spoken for word in row} == {"red", "crossed", "swords", "battle"}
    silent = np.array([not row for row in spoken])
    assert 0.07 < silent.mean() < 0.13
    assert all(row[0] == "red" for row in spoken if row)
    assert set(styles.tolist()) == {STYLES.index("cartoon"), len(STYLES)}
    assert 0.85 < (styles != len(STYLES)).mean() < 0.95


def test_the_commonest_words_get_weights_of_their_own() -> None:
    words = Words()
    plain = [dataset.Caption("a/b", "flat", name, (), (), "") for name in ("sword", "sword", "old key")]
    found = captions.vocabulary(captions.sayings(plain, words), 2)
    assert words.words[found[0]] == "sword"
    assert len(found) == 2
