"""Model folders with random weights, made by script: real Stable Diffusion 3 classes in any shape.

Pictures mean nothing, but the work is real: the same layers, the same loading, the same memory. The
weights are a function of the shape alone, so two machines measure the same models.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from string import ascii_lowercase, digits, punctuation
from typing import Any, Final

_WORDS: Final = (
    "<|startoftext|>",
    "<|endoftext|>",
    *ascii_lowercase + digits + punctuation,
    *(f"{letter}</w>" for letter in ascii_lowercase + digits + punctuation),
)
_VOCABULARY: Final = 49408
"""Rows of CLIP's table of words. The real number: most of a small model's memory, and no time."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What makes one Stable Diffusion 3 differ from another."""

    name: str
    width: int
    """Of the transformer, in numbers per patch."""
    layers: int
    clip: int
    """Width of each of the two text encoders."""


THREE: Final = (
    Shape("narrow", width=96, layers=2, clip=512),
    Shape("middle", width=128, layers=3, clip=640),
    Shape("wide", width=192, layers=4, clip=768),
)
"""Three differently shaped models: no weight or buffer of one fits into the place of another's."""


def make(folder: Path, shape: Shape) -> Path:
    """Save a pipeline of `shape` in `folder`, unless one is there, and return the folder."""
    if (folder / "model_index.json").is_file():
        return folder
    os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_VERBOSITY="error", DIFFUSERS_VERBOSITY="error")
    import diffusers  # noqa: PLC0415 - seconds, and only where a folder has to be made
    import transformers  # noqa: PLC0415

    library: Any = diffusers
    kin: Any = transformers
    kin.utils.logging.disable_progress_bar()
    pipeline = library.StableDiffusion3Pipeline(
        transformer=_fill(_transformer(library, shape), 1),
        scheduler=library.FlowMatchEulerDiscreteScheduler(shift=3.0),
        vae=_fill(_vae(library), 2),
        text_encoder=_fill(_clip(transformers, shape), 3),
        tokenizer=tokenizer(transformers),
        text_encoder_2=_fill(_clip(transformers, shape), 4),
        tokenizer_2=tokenizer(transformers),
        text_encoder_3=None,
        tokenizer_3=None,
    )
    pipeline.save_pretrained(folder, safe_serialization=True)
    return folder


def size_of(folder: Path) -> int:
    """Bytes of all files in `folder`."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _transformer(library: Any, shape: Shape) -> Any:  # noqa: ANN401 - diffusers has no types to speak of
    return library.SD3Transformer2DModel(
        sample_size=16,
        patch_size=2,
        in_channels=16,
        out_channels=16,
        num_layers=shape.layers,
        attention_head_dim=32,
        num_attention_heads=shape.width // 32,
        caption_projection_dim=shape.width,
        joint_attention_dim=2 * shape.clip,
        pooled_projection_dim=2 * shape.clip,
        pos_embed_max_size=96,
    )


def _vae(library: Any) -> Any:  # noqa: ANN401 - the same
    return library.AutoencoderKL(
        in_channels=3,
        out_channels=3,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(16, 16, 32, 32),
        layers_per_block=1,
        norm_num_groups=8,
        latent_channels=16,
        sample_size=64,
        scaling_factor=1.5305,
        shift_factor=0.0609,
    )


def _clip(transformers: Any, shape: Shape) -> Any:  # noqa: ANN401 - imported late
    return transformers.CLIPTextModelWithProjection(
        transformers.CLIPTextConfig(
            vocab_size=_VOCABULARY,
            hidden_size=shape.clip,
            intermediate_size=2 * shape.clip,
            projection_dim=shape.clip,
            num_hidden_layers=1,
            num_attention_heads=8,
            max_position_embeddings=77,
            bos_token_id=0,
            eos_token_id=1,
            pad_token_id=1,
        )
    )


def tokenizer(transformers: Any) -> Any:  # noqa: ANN401 - imported late
    """One token a character: a tokenizer that needs no files of anyone."""
    words = {word: number for number, word in enumerate(_WORDS)}
    return transformers.CLIPTokenizer(vocab=words, merges=[], model_max_length=77)


def _fill(model: Any, seed: int) -> Any:  # noqa: ANN401 - any torch module
    """Weights that keep a signal alive: the library's own start makes all prompts alike."""
    import torch  # noqa: PLC0415 - imported late

    generator = torch.Generator("cpu").manual_seed(seed)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                spread = 1 / weight[0].numel() ** 0.5
                weight.copy_(torch.randn(weight.shape, generator=generator) * spread)
    return model.eval()
