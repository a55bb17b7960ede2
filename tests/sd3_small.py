"""Makes a small Stable Diffusion 3 pipeline with random weights: the real classes, a few megabytes.

Its pictures mean nothing, but they use the whole range of values and depend on prompt and seed.
"""

from __future__ import annotations

from pathlib import Path
from string import ascii_lowercase, digits, punctuation
from typing import Any, Final

import diffusers
import torch
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    T5Config,
    T5EncoderModel,
    T5Tokenizer,
)

library: Any = diffusers
"""diffusers, without its half-finished types."""

CLIP_WIDTH: Final = 32
"""Width of each text encoder; SD3 lays the two CLIPs side by side, then pads to the T5's width."""

T5_WIDTH: Final = 64


def fill(model: Any, seed: int, gain: float = 1.0) -> Any:
    """Give `model` weights that keep a signal alive; the library's own start makes all prompts alike."""
    generator = torch.Generator("cpu").manual_seed(seed)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                spread = gain / weight[0].numel() ** 0.5
                weight.copy_(torch.randn(weight.shape, generator=generator) * spread)
    return model.eval()


def clip_tokenizer() -> CLIPTokenizer:
    """One token per character, so that a test can count tokens by eye."""
    letters = ascii_lowercase + digits + punctuation
    words = ["<|startoftext|>", "<|endoftext|>", *letters, *(f"{letter}</w>" for letter in letters)]
    vocabulary = {word: number for number, word in enumerate(words)}
    return CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=77)


def clip(seed: int, *, projection: bool = True) -> Any:
    """A text encoder of two layers."""
    config = CLIPTextConfig(
        vocab_size=2 + 2 * len(ascii_lowercase + digits + punctuation),
        hidden_size=CLIP_WIDTH,
        intermediate_size=2 * CLIP_WIDTH,
        projection_dim=CLIP_WIDTH,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=77,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
    )
    return fill(CLIPTextModelWithProjection(config) if projection else CLIPTextModel(config), seed)


def vae(seed: int, channels: int = 16, **more: Any) -> Any:
    """An eightfold autoencoder, as the real ones are."""
    model = library.AutoencoderKL(
        in_channels=3,
        out_channels=3,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(16, 16, 32, 32),
        layers_per_block=1,
        norm_num_groups=8,
        latent_channels=channels,
        sample_size=64,
        **more,
    )
    fill(model, seed)
    with torch.no_grad():
        # As a trained encoder it has latents about as large as the noise, and is certain of them: half of
        # its output is the logarithm of its doubt.
        model.quant_conv.weight[:channels] *= 8
        model.quant_conv.weight[channels:] = 0
        model.quant_conv.bias[channels:] = -12
    return model


def t5() -> tuple[T5EncoderModel, T5Tokenizer]:
    """The third text encoder, and its tokenizer."""
    words = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    tokenizer = T5Tokenizer(vocab=[*words, *((letter, -3.0) for letter in ascii_lowercase)], extra_ids=0)
    config = T5Config(
        vocab_size=len(words) + len(ascii_lowercase),
        d_model=T5_WIDTH,
        d_kv=16,
        d_ff=64,
        num_layers=2,
        num_heads=4,
    )
    return fill(T5EncoderModel(config), 5), tokenizer


def make(folder: Path, *, with_t5: bool = False, seed: int = 0) -> Path:
    """Save a pipeline in `folder` and return it. `seed` chooses the weights."""
    transformer = library.SD3Transformer2DModel(
        sample_size=16,
        patch_size=2,
        in_channels=16,
        out_channels=16,
        num_layers=2,
        attention_head_dim=16,
        num_attention_heads=4,
        caption_projection_dim=64,
        joint_attention_dim=T5_WIDTH,
        pooled_projection_dim=2 * CLIP_WIDTH,
        pos_embed_max_size=96,
    )
    text_encoder_3, tokenizer_3 = t5() if with_t5 else (None, None)
    pipeline = library.StableDiffusion3Pipeline(
        transformer=fill(transformer, seed + 1),
        scheduler=library.FlowMatchEulerDiscreteScheduler(shift=3.0),
        vae=vae(seed + 2, scaling_factor=1.5305, shift_factor=0.0609),
        text_encoder=clip(seed + 3),
        tokenizer=clip_tokenizer(),
        text_encoder_2=clip(seed + 4),
        tokenizer_2=clip_tokenizer(),
        text_encoder_3=text_encoder_3,
        tokenizer_3=tokenizer_3,
    )
    pipeline.save_pretrained(folder, safe_serialization=True)
    return folder
