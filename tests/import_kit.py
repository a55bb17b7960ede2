"""Pictures as other programs write them: texts in chunks, user comments, graphs."""

from __future__ import annotations

import io
import json
import struct
import zlib
from pathlib import Path
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

A1111 = """\
moon knight, 3/4 view, {silver} armour, (cape:1.2)
a second line
Negative prompt: blurry, extra fingers
Steps: 28, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, Seed: 3478, Size: 512x768, \
Model hash: 879db523c3, Model: dreamshaper_8, Lora hashes: "cape: 1a2b, moon: 3c4d", Version: v1.10.1"""

COMFY: dict[str, Any] = {
    "3": {
        "class_type": "KSampler",
        "inputs": {
            "seed": 156680208700286,
            "steps": 20,
            "cfg": 8.0,
            "sampler_name": "euler",
            "scheduler": "normal",
            "denoise": 1.0,
            "model": ["10", 0],
            "positive": ["6", 0],
            "negative": ["7", 0],
            "latent_image": ["5", 0],
        },
    },
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "sd15.safetensors"}},
    "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 640, "batch_size": 1}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a glass bottle", "clip": ["10", 1]}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "text, watermark", "clip": ["10", 1]}},
    "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
    "9": {"class_type": "SaveImage", "inputs": {"filename_prefix": "ComfyUI", "images": ["8", 0]}},
    "10": {
        "class_type": "LoraLoader",
        "inputs": {"lora_name": "glass.safetensors", "model": ["4", 0], "clip": ["4", 1]},
    },
}

FLUX: dict[str, Any] = {
    "1": {"class_type": "SaveImage", "inputs": {"images": ["2", 0]}},
    "2": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["13", 0]}},
    "3": {
        "class_type": "SamplerCustomAdvanced",
        "inputs": {
            "noise": ["4", 0],
            "guider": ["5", 0],
            "sampler": ["6", 0],
            "sigmas": ["7", 0],
            "latent_image": ["8", 0],
        },
    },
    "4": {"class_type": "RandomNoise", "inputs": {"noise_seed": 42}},
    "5": {"class_type": "BasicGuider", "inputs": {"model": ["9", 0], "conditioning": ["10", 0]}},
    "6": {"class_type": "KSamplerSelect", "inputs": {"sampler_name": "euler"}},
    "7": {"class_type": "BasicScheduler", "inputs": {"scheduler": "simple", "steps": 4, "model": ["9", 0]}},
    "8": {"class_type": "EmptySD3LatentImage", "inputs": {"width": 1024, "height": 1024}},
    "9": {"class_type": "UNETLoader", "inputs": {"unet_name": "flux1-schnell.safetensors"}},
    "10": {"class_type": "FluxGuidance", "inputs": {"guidance": 3.5, "conditioning": ["11", 0]}},
    "11": {"class_type": "CLIPTextEncode", "inputs": {"text": ["12", 0]}},
    "12": {"class_type": "PrimitiveString", "inputs": {"value": "an owl"}},
    "13": {"class_type": "VAELoader", "inputs": {"vae_name": "ae.safetensors"}},
}

DRAWN: dict[str, Any] = {
    "last_node_id": 14,
    "version": 0.4,
    "groups": [],
    "config": {},
    "nodes": [
        {
            "id": 3,
            "type": "KSampler",
            "mode": 0,
            "inputs": [
                {"name": "model", "type": "MODEL", "link": 14},
                {"name": "positive", "type": "CONDITIONING", "link": 4},
                {"name": "negative", "type": "CONDITIONING", "link": 6},
                {"name": "latent_image", "type": "LATENT", "link": 2},
                {"name": "steps", "type": "INT", "link": 16, "widget": {"name": "steps"}},
            ],
            "outputs": [{"name": "LATENT", "type": "LATENT", "links": [7]}],
            "widgets_values": [156680208700286, "randomize", 20, 8, "euler", "normal", 1],
        },
        {"id": 4, "type": "CheckpointLoaderSimple", "widgets_values": ["sd15.safetensors"]},
        {"id": 5, "type": "EmptyLatentImage", "inputs": [], "widgets_values": [512, 640, 1]},
        {
            "id": 6,
            "type": "CLIPTextEncode",
            "inputs": [{"name": "clip", "type": "CLIP", "link": 15}],
            "widgets_values": ["a glass bottle"],
        },
        {
            "id": 7,
            "type": "CLIPTextEncode",
            "inputs": [{"name": "clip", "type": "CLIP", "link": 15}],
            "widgets_values": ["text, watermark"],
        },
        {
            "id": 8,
            "type": "VAEDecode",
            "inputs": [{"name": "samples", "type": "LATENT", "link": 7}, {"name": "vae", "link": 8}],
        },
        {"id": 9, "type": "SaveImage", "inputs": [{"name": "images", "link": 9}], "widgets_values": ["C"]},
        {
            "id": 10,
            "type": "LoraLoader",
            "mode": 4,
            "inputs": [
                {"name": "model", "type": "MODEL", "link": 1},
                {"name": "clip", "type": "CLIP", "link": 3},
            ],
            "outputs": [{"name": "MODEL", "type": "MODEL"}, {"name": "CLIP", "type": "CLIP"}],
            "widgets_values": ["glass.safetensors", 1, 1],
        },
        {"id": 11, "type": "Reroute", "inputs": [{"name": "", "type": "*", "link": 5}]},
        {"id": 12, "type": "PrimitiveNode", "widgets_values": [25, "fixed"]},
        {"id": 13, "type": "KSampler", "mode": 2, "inputs": [], "widgets_values": [1, "fixed", 2]},
        {"id": 14, "type": "Note", "widgets_values": ["a person's remark"]},
    ],
    "links": [
        [1, 4, 0, 10, 0, "MODEL"],
        [2, 5, 0, 3, 3, "LATENT"],
        [3, 4, 1, 10, 1, "CLIP"],
        [4, 11, 0, 3, 1, "CONDITIONING"],
        [5, 6, 0, 11, 0, "CONDITIONING"],
        [6, 7, 0, 3, 2, "CONDITIONING"],
        [7, 3, 0, 8, 0, "LATENT"],
        [8, 4, 2, 8, 1, "VAE"],
        [9, 8, 0, 9, 0, "IMAGE"],
        [14, 10, 0, 3, 0, "MODEL"],
        [15, 10, 1, 6, 0, "CLIP"],
        [16, 12, 0, 3, 4, "INT"],
    ],
}
"""The drawing of `COMFY`, as the editor of 2023 and 2024 saved one, with its lora switched off."""


def _named(kind: str, *names: str) -> list[dict[str, Any]]:
    return [{"name": name, "type": kind, "widget": {"name": name}, "link": None} for name in names]


NAMED: dict[str, Any] = {
    "id": "5e3a",
    "revision": 0,
    "version": 1,
    "nodes": [
        {
            "id": 1,
            "type": "StudioSampler",
            "inputs": [
                {"name": "model", "type": "MODEL", "link": None},
                {"name": "positive", "type": "CONDITIONING", "link": 4},
                *_named("INT", "seed", "steps"),
                *_named("FLOAT", "cfg"),
                *_named("COMBO", "sampler_name", "scheduler"),
            ],
            "widgets_values": [42, "fixed", 4, 1.5, "euler", "simple"],
        },
        {
            "id": 2,
            "type": "StudioText",
            "inputs": [*_named("STRING", "text"), *_named("BOOLEAN", "expand")],
            "widgets_values": ["an owl", True],
        },
        {"id": 3, "type": "SaveImage", "inputs": [{"name": "images", "type": "IMAGE", "link": 5}]},
    ],
    "links": [
        {"id": 4, "origin_id": 2, "origin_slot": 0, "target_id": 1, "target_slot": 1, "type": "CONDITIONING"},
        {"id": 5, "origin_id": 1, "origin_slot": 0, "target_id": 3, "target_slot": 0, "type": "IMAGE"},
    ],
}
"""A drawing of 2025, which names every widget: of nodes that nobody has heard of."""

INVOKE = json.dumps(
    {
        "app_version": "5.6.0",
        "generation_mode": "sdxl_txt2img",
        "positive_prompt": "a lighthouse",
        "negative_prompt": "people",
        "width": 1024,
        "height": 768,
        "seed": 1790418421,
        "cfg_scale": 5.5,
        "steps": 30,
        "scheduler": "euler",
        "model": {"name": "Juggernaut XL", "base": "sdxl"},
    }
)
OLDER = json.dumps(
    {
        "app_id": "invoke-ai/InvokeAI",
        "model_weights": "stable-diffusion-1.5",
        "image": {
            "prompt": [{"prompt": "a ship [blurry] at sea", "weight": 1}],
            "seed": 7,
            "steps": 50,
            "cfg_scale": 7.5,
            "width": 512,
            "height": 512,
            "sampler": "k_lms",
        },
    }
)
OLDEST = '"a ship at sea" -s 50 -S42 -W 512 -H 640 -C 7.5 -A k_lms'


def picture(size: tuple[int, int] = (32, 48)) -> Image.Image:
    """A small picture, no two of whose rows are the same."""
    width, height = size
    data = bytes(
        (x * 7 + y * 5 + channel * 40) % 256
        for y in range(height)
        for x in range(width)
        for channel in range(3)
    )
    return Image.frombytes("RGB", size, data)


def png(path: Path, texts: dict[str, str], *, packed: bool = False, size: tuple[int, int] = (32, 48)) -> Path:
    info = PngInfo()
    for keyword, text in texts.items():
        info.add_text(keyword, text, zip=packed)
    path.parent.mkdir(parents=True, exist_ok=True)
    picture(size).save(path, "PNG", pnginfo=info)
    return path


def commented(path: Path, text: str) -> Path:
    """A JPEG or a WebP with a user comment, as A1111 writes it."""
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + text.encode("utf-16-be")
    path.parent.mkdir(parents=True, exist_ok=True)
    picture().save(path, exif=exif)
    return path


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def with_chunk(data: bytes, extra: bytes) -> bytes:
    """The PNG `data` with a chunk behind its header."""
    return data[:33] + extra + data[33:]


def plain() -> bytes:
    buffer = io.BytesIO()
    picture().save(buffer, "PNG")
    return buffer.getvalue()
