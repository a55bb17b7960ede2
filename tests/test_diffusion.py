"""The diffusion adapter draws: the same bytes whenever it should, and says what it can't do."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

import numpy as np  # noqa: E402 - torch first, or there is nothing to test
import sd3_small  # noqa: E402
from PIL import Image  # noqa: E402

from engines import diffusion, protocol  # noqa: E402
from engines.protocol import Done, EngineError, ErrorKind, Failure, Open, Request, Result  # noqa: E402

Load = Callable[..., protocol.Engine]
PROMPTS = ("a moon knight", "red gem", "castle at night", "old map")


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline with all three text encoders."""
    return sd3_small.make(tmp_path_factory.mktemp("model") / "sd3", with_t5=True)


@pytest.fixture
def load(small: Path, tmp_path: Path) -> Iterator[Load]:
    """Load the small pipeline, or another folder, with the settings given."""
    before = dict(os.environ)

    def load(model: Path = small, **settings: Any) -> protocol.Engine:
        opening = Open(
            protocol=protocol.PROTOCOL,
            adapter="diffusion",
            engine="small",
            model=str(model),
            revision="",
            staging=str(tmp_path),
            settings=settings,
        )
        return diffusion.load(opening)

    yield load
    os.environ.clear()
    os.environ.update(before)


def request(number: int = 0, **changes: Any) -> Request:
    parameters = {"steps": 3, "guidance": 4.5, "max_sequence_length": 32, **changes.pop("parameters", {})}
    values: dict[str, Any] = {
        "id": str(number),
        "asset": "hero",
        "output": f"{number}.png",
        "prompt": PROMPTS[number],
        "seed": number,
        "size": (64, 80),
        "parameters": {name: value for name, value in parameters.items() if value is not None},
    }
    return Request(**(values | changes))


def silent(request_id: str, step: int, steps: int) -> None:
    """Progress is not what this test is about."""


def digests(engine: protocol.Engine, staging: Path, *requests: Request) -> dict[str, str]:
    results = list(engine.render(requests, silent))
    assert [type(result) for result in results] == [Done] * len(requests), results
    return {
        one.asset + one.id: hashlib.sha256((staging / one.output).read_bytes()).hexdigest()
        for one in requests
    }


def one(engine: protocol.Engine, wanted: Request) -> Result:
    (result,) = engine.render([wanted], silent)
    return result


def test_a_picture_depends_on_its_recipe_only(load: Load, tmp_path: Path) -> None:
    requests = [request(number) for number in range(4)]
    alone = load()
    first = digests(alone, tmp_path, *requests)
    assert len(set(first.values())) == 4
    assert digests(alone, tmp_path, *reversed(requests)) == first
    together = load(batch=4)
    assert digests(together, tmp_path, *requests) == first
    assert digests(together, tmp_path, *reversed(requests[:3])) == {
        key: first[key] for key in list(first)[:3]
    }


def test_pictures_drawn_together_match_with_stray_noise(load: Load, tmp_path: Path) -> None:
    # This scheduler draws from torch's global generator in every step.
    requests = [request(number, parameters={"scheduler": "FlowMatchLCMScheduler"}) for number in range(3)]
    assert digests(load(batch=4), tmp_path, *requests) == digests(load(), tmp_path, *requests)


def test_half_precision_ignores_the_batch_too(load: Load, tmp_path: Path) -> None:
    requests = [request(number) for number in range(2)]
    alone = digests(load(dtype="bfloat16"), tmp_path, *requests)
    assert digests(load(dtype="bfloat16", batch=4), tmp_path, *requests) == alone
    assert alone != digests(load(), tmp_path, *requests)


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 1},
        {"prompt": "a sun knight"},
        {"negative": "blurry"},
        {"parameters": {"steps": 4}},
        {"parameters": {"guidance": 5.0}},
        {"parameters": {"guidance": 0}},
        {"parameters": {"shift": 1.0}},
        {"parameters": {"scheduler": "FlowMatchHeunDiscreteScheduler"}},
        {"parameters": {"max_sequence_length": 16}},
        {"parameters": {"text_encoder_3": False}},
        {"parameters": {"skip_guidance_layers": [1], "skip_layer_guidance_stop": 0.9}},
    ],
    ids=json.dumps,
)
def test_each_part_of_the_recipe_changes_the_picture(
    load: Load, tmp_path: Path, changes: dict[str, Any]
) -> None:
    engine = load()
    plain = digests(engine, tmp_path, request())
    assert digests(engine, tmp_path, request(**changes)) != plain
    # What one request changed in the pipeline must not be left for the next.
    assert digests(engine, tmp_path, request()) == plain


def test_a_picture_is_a_png_of_the_size_asked_for(load: Load, tmp_path: Path) -> None:
    assert one(load(), request(size=(96, 64))) == Done(id="0", output="0.png")
    with Image.open(tmp_path / "0.png") as image:
        assert (image.format, image.mode, image.size) == ("PNG", "RGB", (96, 64))
        assert np.asarray(image).std() > 20


def test_progress_is_told_for_each_picture(load: Load) -> None:
    seen: list[tuple[str, int, int]] = []
    requests = [request(0), request(1)]
    list(load(batch=2).render(requests, lambda name, step, steps: seen.append((name, step, steps))))
    assert seen == [("0", 1, 3), ("1", 1, 3), ("0", 2, 3), ("1", 2, 3), ("0", 3, 3), ("1", 3, 3)]


def test_a_picture_that_waits_is_not_taken_for_one_that_hangs(load: Load) -> None:
    seen: list[tuple[str, int, int]] = []
    requests = [request(0, parameters={"steps": 2}), request(1, parameters={"steps": 1})]
    list(load().render(requests, lambda name, step, steps: seen.append((name, step, steps))))
    assert seen == [("0", 1, 2), ("1", 0, 1), ("0", 2, 2), ("1", 0, 1), ("1", 1, 1)]


def test_a_bad_request_does_not_stop_its_neighbours(load: Load) -> None:
    bad = request(1, parameters={"guidance": 0}, negative="blurry")
    results = load(batch=4).render([request(0), bad, request(2)], silent)
    assert sorted((str(result.id), type(result).__name__) for result in results) == [
        ("0", "Done"),
        ("1", "Failure"),
        ("2", "Done"),
    ]


def test_the_part_of_a_prompt_that_no_encoder_sees_is_told(load: Load) -> None:
    # The small tokenizers take one token per letter, and one each to begin and end.
    result = one(load(), request(prompt="a" * 75 + " red moon"))
    assert isinstance(result, Done)
    assert result.notes == (
        "the prompt is cut for CLIP (CLIP reads 77 tokens), which does not see: `red moon`",
        f"the prompt is cut for T5 (`max_sequence_length` is 32), which does not see: `{'a' * 45} red moon`",
    )


def test_environment_names_all_that_bits_depend_on(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MKL_CBWR", raising=False)
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "avx2")
    found = dict(load(threads=2, dtype="bfloat16").environment())
    assert found.pop("device").startswith("cpu ")
    assert found.pop("torch") == torch.__version__
    assert sorted(found) == ["ATEN_CPU_CAPABILITY", "diffusers", "dtype", "python", "threads", "transformers"]
    assert (found["dtype"], found["threads"]) == ("bfloat16", "2")


BAD = ErrorKind.BAD_REQUEST


@pytest.mark.parametrize(
    ("changes", "message", "hint"),
    [
        (
            {"parameters": {"guidance": 0.0}, "negative": "blurry"},
            (
                "the negative prompt would have no effect with `guidance = 0.0`: `StableDiffusion3Pipeline` "
                "compares only above 1"
            ),
            "leave it out, or raise `guidance` above 1 if the model is made for it",
        ),
        (
            {"parameters": {"guidance": 1.0, "skip_guidance_layers": [1]}},
            (
                "`skip_guidance_layers` would have no effect with `guidance = 1.0`: "
                "`StableDiffusion3Pipeline` compares only above 1"
            ),
            "leave it out, or raise `guidance` above 1 if the model is made for it",
        ),
        (
            {"parameters": {"skip_layer_guidance_stop": 0.2}},
            "`skip_layer_guidance_stop` has no effect without `skip_guidance_layers`",
            "give both or neither",
        ),
        (
            {"parameters": {"stepz": 3}},
            "`StableDiffusion3Pipeline` takes no parameter `stepz`",
            "did you mean `steps`?",
        ),
        (
            {"parameters": {"true_guidance": 3.0}},
            "`StableDiffusion3Pipeline` takes no parameter `true_guidance`",
            "leave it out",
        ),
        ({"parameters": {"steps": None}}, "`steps` is missing", "give the engine `steps`"),
        ({"parameters": {"guidance": None}}, "`guidance` is missing", "give the engine `guidance`"),
        (
            {"size": (100, 64)},
            "`100x64` can't be drawn: width and height must be multiples of 16",
            "choose such a size, and a `crop` or `resize` step for the rest",
        ),
        ({"seed": -1}, "`seed = -1` is not between 0 and 2**64 - 1", "choose a smaller seed"),
        (
            {"parameters": {"max_sequence_length": 600}},
            (
                "`StableDiffusion3Pipeline` refused the request: "
                "`max_sequence_length` cannot be greater than 512 but is 600"
            ),
            "mend the engine's parameters or the asset's size",
        ),
        (
            {"parameters": {"scheduler": "DDIMScheduler"}},
            (
                "`DDIMScheduler` is not a scheduler for `StableDiffusion3Pipeline` with its "
                "`FlowMatchEulerDiscreteScheduler`"
            ),
            (
                "choose one of `FlowMatchEulerDiscreteScheduler`, `FlowMatchHeunDiscreteScheduler`, "
                "`FlowMatchLCMScheduler`"
            ),
        ),
    ],
)
def test_what_can_never_work_is_refused(load: Load, changes: dict[str, Any], message: str, hint: str) -> None:
    assert one(load(), request(**changes)) == Failure(id="0", kind=BAD, message=message, hint=hint)


def test_a_model_saved_without_t5_draws_but_can_not_drop_it(load: Load, tmp_path: Path) -> None:
    engine = load(sd3_small.make(tmp_path / "plain"))
    assert isinstance(one(engine, request()), Done)
    result = one(engine, request(parameters={"text_encoder_3": False}))
    assert result == Failure(
        id="0",
        kind=BAD,
        message=f"`{tmp_path / 'plain'}` has no `text_encoder_3`",
        hint="leave `text_encoder_3` out",
    )


@pytest.mark.parametrize("offload", ["model", "sequential"])
def test_on_the_cpu_an_offload_has_nothing_to_do(load: Load, offload: str) -> None:
    plain, drawn = one(load(), request()), one(load(offload=offload), request())
    assert isinstance(plain, Done)
    assert plain == drawn


@pytest.mark.parametrize(
    ("settings", "kind", "message"),
    [
        ({"device": "cuda"}, BAD, "`cuda` is not a device"),
        ({"device": "cuda:99"}, ErrorKind.MISSING, "there is no `cuda:99`: this machine has "),
        ({"offload": "modle"}, BAD, "`offload` can't be `modle`"),
        ({"dtype": "int4"}, BAD, "`dtype` can't be `int4`"),
        ({"cache": "models"}, BAD, "`cache` is not an absolute path: `models`"),
    ],
)
def test_settings_that_can_not_work(
    load: Load, settings: dict[str, Any], kind: ErrorKind, message: str
) -> None:
    with pytest.raises(EngineError) as caught:
        load(**settings)
    assert (caught.value.kind, caught.value.message[: len(message)]) == (kind, message)
    assert caught.value.hint
