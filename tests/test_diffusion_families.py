"""Pipelines other than Stable Diffusion 3, each small and made here, go through the same adapter."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

import numpy as np  # noqa: E402 - torch first, or there is nothing to test
import sd3_small as parts  # noqa: E402
from PIL import Image  # noqa: E402

from engines import diffusion, protocol  # noqa: E402
from engines.protocol import Done, EngineError, ErrorKind, Failure, Open, Request  # noqa: E402

library = parts.library

pytestmark = pytest.mark.filterwarnings(
    # The schedulers of diffusers 0.42 pass tensors to numpy in a way that numpy 2 advises against.
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)


def unet(**more: Any) -> Any:
    """A U-Net of two levels, the lower with attention unless `more` says otherwise."""
    shape = {
        "sample_size": 16,
        "in_channels": 4,
        "out_channels": 4,
        "layers_per_block": 1,
        "block_out_channels": (16, 32),
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
        "cross_attention_dim": parts.CLIP_WIDTH,
        "attention_head_dim": 4,
        "norm_num_groups": 8,
    }
    return parts.fill(library.UNet2DConditionModel(**(shape | more)), 1)


def stable_diffusion_1(kind: str = "StableDiffusionPipeline") -> Any:
    return getattr(library, kind)(
        vae=parts.vae(2, 4),
        text_encoder=parts.clip(3, projection=False),
        tokenizer=parts.clip_tokenizer(),
        unet=unet(),
        scheduler=library.DDIMScheduler(steps_offset=1, clip_sample=False),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def stable_diffusion_xl() -> Any:
    width = parts.CLIP_WIDTH
    return library.StableDiffusionXLPipeline(
        vae=parts.vae(2, 4, force_upcast=False),
        text_encoder=parts.clip(3, projection=False),
        text_encoder_2=parts.clip(4),
        tokenizer=parts.clip_tokenizer(),
        tokenizer_2=parts.clip_tokenizer(),
        unet=unet(
            cross_attention_dim=2 * width,
            use_linear_projection=True,
            addition_embed_type="text_time",
            addition_time_embed_dim=8,
            projection_class_embeddings_input_dim=width + 6 * 8,
        ),
        scheduler=library.EulerDiscreteScheduler(),
    )


def flux() -> Any:
    encoder, tokenizer = parts.t5()
    transformer = library.FluxTransformer2DModel(
        patch_size=1,
        in_channels=64,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=parts.T5_WIDTH,
        pooled_projection_dim=parts.CLIP_WIDTH,
        axes_dims_rope=(4, 4, 8),
        guidance_embeds=True,
    )
    return library.FluxPipeline(
        vae=parts.vae(2, 16, scaling_factor=0.3611, shift_factor=0.1159),
        text_encoder=parts.clip(3, projection=False),
        tokenizer=parts.clip_tokenizer(),
        text_encoder_2=encoder,
        tokenizer_2=tokenizer,
        transformer=parts.fill(transformer, 1),
        scheduler=library.FlowMatchEulerDiscreteScheduler(shift=3.0),
    )


@pytest.fixture(autouse=True)
def environment() -> Iterator[None]:
    """Loading sets environment variables, as it may in a process of its own."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


def load(model: Path, staging: Path, **settings: Any) -> protocol.Engine:
    opening = Open(
        protocol=protocol.PROTOCOL,
        adapter="diffusion",
        engine="small",
        model=str(model),
        revision="",
        staging=str(staging),
        settings=settings,
    )
    return diffusion.load(opening)


def request(number: int, negative: str = "", **parameters: Any) -> Request:
    return Request(
        id=str(number),
        asset="hero",
        output=f"{number}.png",
        prompt=("a moon knight", "red gem", "castle")[number],
        negative=negative,
        seed=number,
        size=(64, 64),
        parameters={"steps": 3, "guidance": 4.5, **parameters},
    )


def draw(engine: protocol.Engine, staging: Path, *requests: Request) -> list[bytes]:
    results = list(engine.render(requests, lambda *_: None))
    assert [type(result) for result in results] == [Done] * len(requests), results
    return [(staging / one.output).read_bytes() for one in requests]


@pytest.mark.parametrize(
    ("make", "parameters"),
    [
        (stable_diffusion_1, {"negative": "blurry"}),
        (stable_diffusion_1, {"scheduler": "EulerAncestralDiscreteScheduler"}),
        (stable_diffusion_xl, {}),
        (stable_diffusion_xl, {"negative": "blurry", "clip_skip": 1}),
        (flux, {"max_sequence_length": 32}),
        (flux, {"max_sequence_length": 32, "true_guidance": 3.0, "negative": "blurry"}),
    ],
)
def test_a_family_draws_the_same_alone_and_together(
    make: Callable[[], Any], parameters: dict[str, Any], tmp_path: Path
) -> None:
    make().save_pretrained(tmp_path / "model")
    requests = [request(number, **parameters) for number in range(3)]
    alone = draw(load(tmp_path / "model", tmp_path), tmp_path, *requests)
    assert len(set(alone)) == 3
    assert draw(load(tmp_path / "model", tmp_path, batch=4), tmp_path, *requests) == alone


@pytest.mark.parametrize("make", [stable_diffusion_1, stable_diffusion_xl, flux])
@pytest.mark.parametrize("masked", [False, True])
def test_a_family_starts_from_pictures(make: Callable[[], Any], tmp_path: Path, *, masked: bool) -> None:
    make().save_pretrained(tmp_path / "model")
    mask = Image.new("L", (64, 64), 0)
    mask.paste(255, (32, 0, 64, 64))
    mask.save(tmp_path / "mask.png")
    more: dict[str, Any] = {"max_sequence_length": 32} if make is flux else {}
    requests = []
    for number, color in enumerate(("red", "green", "navy")):
        Image.new("RGB", (64, 64), color).save(tmp_path / f"{color}.png")
        inputs = {"image": str(tmp_path / f"{color}.png")}
        inputs |= {"mask": str(tmp_path / "mask.png")} if masked else {}
        requests.append(dataclasses.replace(request(number, **more), inputs=inputs))
    engine = load(tmp_path / "model", tmp_path)
    alone = draw(engine, tmp_path, *requests)
    assert len(set(alone)) == 3
    assert draw(load(tmp_path / "model", tmp_path, batch=4), tmp_path, *requests) == alone
    with Image.open(tmp_path / "0.png") as image:
        left = np.asarray(image)[:, :32]
    assert masked == bool((left == (255, 0, 0)).all())


def test_a_family_without_such_a_pipeline_says_so(tmp_path: Path) -> None:
    consistency = library.LatentConsistencyModelPipeline
    parts_of = stable_diffusion_1().components
    chosen = {"scheduler": library.LCMScheduler(), "unet": unet(time_cond_proj_dim=8)}
    consistency(**{**parts_of, **chosen}, requires_safety_checker=False).save_pretrained(tmp_path / "model")
    Image.new("RGB", (64, 64), "red").save(tmp_path / "image.png")
    files = {"image": str(tmp_path / "image.png")}
    files["mask"] = files["image"]
    wanted = dataclasses.replace(request(0), inputs=files)
    (result,) = load(tmp_path / "model", tmp_path).render([wanted], lambda *_: None)
    assert result == Failure(
        id="0",
        kind=ErrorKind.BAD_REQUEST,
        message=f"diffusers {library.__version__} has no inpainting for `LatentConsistencyModelPipeline`, "
        "so it takes no `mask`",
        hint="use an engine with another model, such as Stable Diffusion 3.5",
    )


def test_flux_takes_a_negative_prompt_only_with_true_guidance(tmp_path: Path) -> None:
    flux().save_pretrained(tmp_path / "model")
    (result,) = load(tmp_path / "model", tmp_path).render([request(0, negative="blurry")], lambda *_: None)
    assert result == Failure(
        id="0",
        kind=ErrorKind.BAD_REQUEST,
        message="the negative prompt would have no effect with no `true_guidance`: `FluxPipeline` compares "
        "only above 1",
        hint="leave it out, or raise `true_guidance` above 1 if the model is made for it",
    )


def test_a_pipeline_that_does_not_draw_from_text_is_refused(tmp_path: Path) -> None:
    stable_diffusion_1("StableDiffusionImg2ImgPipeline").save_pretrained(tmp_path / "model")
    with pytest.raises(EngineError) as caught:
        load(tmp_path / "model", tmp_path)
    assert (caught.value.kind, caught.value.message) == (
        ErrorKind.BAD_REQUEST,
        "`StableDiffusionImg2ImgPipeline` does not draw from text: its call takes no `height`",
    )
    assert caught.value.hint == "use a text-to-image pipeline"
