"""The shapes of Stable Diffusion 3.5 Medium and Large Turbo, as folders of configurations without weights.

The numbers are those of the published `config.json` files. `small` keeps what makes the two differ and
shrinks the rest, for a run on any machine.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import models

_T5_WORDS: Final = [
    ("<pad>", 0.0),
    ("</s>", 0.0),
    ("<unk>", 0.0),
    *((letter, -3.0) for letter in "▁abcdefgh"),
]

_MEDIUM: Final = {"num_layers": 24, "num_attention_heads": 24, "pos_embed_max_size": 384}
_TURBO: Final = {"num_layers": 38, "num_attention_heads": 38, "pos_embed_max_size": 192}
_HEAD: Final = 64
"""Numbers of one attention head, in both."""


def medium(folder: Path, *, small: bool = False) -> Path:
    """Stable Diffusion 3.5 Medium: its first 13 layers attend twice."""
    shape = {**_MEDIUM, "dual_attention_layers": list(range(13))}
    if small:
        shape = {"num_layers": 3, "num_attention_heads": 1, "dual_attention_layers": [0]}
    return _write(folder, shape, small=small)


def large_turbo(folder: Path, *, small: bool = False) -> Path:
    """Stable Diffusion 3.5 Large Turbo."""
    shape = {"num_layers": 4, "num_attention_heads": 2} if small else dict(_TURBO)
    return _write(folder, {**shape, "dual_attention_layers": []}, small=small)


def _write(folder: Path, shape: dict[str, Any], *, small: bool) -> Path:
    t5 = 64 if small else 4096
    width = shape["num_attention_heads"] * _HEAD
    pooled = 64 if small else 2048
    components = {
        "scheduler": ("diffusers", "FlowMatchEulerDiscreteScheduler", {"shift": 3.0}),
        "transformer": (
            "diffusers",
            "SD3Transformer2DModel",
            {
                "sample_size": 128,
                "patch_size": 2,
                "in_channels": 16,
                "out_channels": 16,
                "attention_head_dim": _HEAD,
                "joint_attention_dim": t5,
                "caption_projection_dim": width,
                "pooled_projection_dim": pooled,
                "pos_embed_max_size": 96,
                "qk_norm": "rms_norm",
                **shape,
            },
        ),
        "vae": ("diffusers", "AutoencoderKL", _vae(small=small)),
        "text_encoder": ("transformers", "CLIPTextModelWithProjection", _clip("l", small=small)),
        "text_encoder_2": ("transformers", "CLIPTextModelWithProjection", _clip("g", small=small)),
        "text_encoder_3": ("transformers", "T5EncoderModel", _t5(t5, small=small)),
        "tokenizer": ("transformers", "CLIPTokenizer", None),
        "tokenizer_2": ("transformers", "CLIPTokenizer", None),
        "tokenizer_3": ("transformers", "T5Tokenizer", None),
    }
    index: dict[str, Any] = {"_class_name": "StableDiffusion3Pipeline"}
    for name, (library, kind, config) in components.items():
        place = folder / name
        place.mkdir(parents=True)
        index[name] = [library, kind]
        if config is None:
            _tokenizer(kind).save_pretrained(place)
        else:
            file = "scheduler_config.json" if name == "scheduler" else "config.json"
            (place / file).write_text(json.dumps({"_class_name": kind, **config}), encoding="utf-8")
    (folder / "model_index.json").write_text(json.dumps(index), encoding="utf-8")
    return folder


def _vae(*, small: bool) -> dict[str, Any]:
    return {
        "in_channels": 3,
        "out_channels": 3,
        "down_block_types": ["DownEncoderBlock2D"] * 4,
        "up_block_types": ["UpDecoderBlock2D"] * 4,
        "block_out_channels": [16, 16, 32, 32] if small else [128, 256, 512, 512],
        "layers_per_block": 1 if small else 2,
        "norm_num_groups": 8 if small else 32,
        "latent_channels": 16,
        "sample_size": 1024,
        "scaling_factor": 1.5305,
        "shift_factor": 0.0609,
        "use_quant_conv": False,
        "use_post_quant_conv": False,
    }


def _clip(kind: str, *, small: bool) -> dict[str, Any]:
    width, layers, heads, activation = {"l": (768, 12, 12, "quick_gelu"), "g": (1280, 32, 20, "gelu")}[kind]
    if small:
        width, layers, heads = 32, 2, 2
    return {
        "architectures": ["CLIPTextModelWithProjection"],
        "model_type": "clip_text_model",
        "vocab_size": 49408,
        "hidden_size": width,
        "intermediate_size": 4 * width,
        "projection_dim": width,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "hidden_act": activation,
        "max_position_embeddings": 77,
        "bos_token_id": 0,
        "eos_token_id": 1,
        "pad_token_id": 1,
    }


def _t5(width: int, *, small: bool) -> dict[str, Any]:
    return {
        "architectures": ["T5EncoderModel"],
        "model_type": "t5",
        "vocab_size": 32128,
        "d_model": width,
        "d_kv": 16 if small else 64,
        "d_ff": 64 if small else 10240,
        "num_layers": 2 if small else 24,
        "num_heads": 4 if small else 64,
        "feed_forward_proj": "gated-gelu",
    }


def _tokenizer(kind: str) -> Any:  # noqa: ANN401 - a tokenizer of transformers
    import transformers  # noqa: PLC0415 - seconds, and only where folders are made

    if kind == "CLIPTokenizer":
        return models.tokenizer(transformers)
    return transformers.T5Tokenizer(vocab=_T5_WORDS, extra_ids=0)
