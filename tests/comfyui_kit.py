"""What the tests of the adapter `comfyui` share: a workflow, an asset's request, an engine on a server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from contracts.comfyui import ComfyServer

from engines import comfyui, protocol
from engines.protocol import Done, Failure, Open, Request, Result

ROOT = Path(__file__).resolve().parent.parent


def node(kind: str, title: str = "", **inputs: Any) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs, "_meta": {"title": title or kind}}


def drawing(**changed: Any) -> dict[str, Any]:
    """ComfyUI's first workflow with slots in its titles, and `changed` nodes (`n6=…`; None: left out)."""
    nodes: dict[str, Any] = {
        "3": node(
            "KSampler",
            "KSampler artlock:seed artlock:steps",
            seed=1,
            steps=4,
            sampler_name="euler",
            positive=["6", 0],
            negative=["7", 0],
            latent_image=["5", 0],
        ),
        "4": node("CheckpointLoaderSimple", ckpt_name="small.safetensors"),
        "5": node("EmptyLatentImage", "artlock:size", width=512, height=512, batch_size=1),
        "6": node("CLIPTextEncode", "Positive, artlock:prompt", text="a cat", clip=["4", 1]),
        "7": node("CLIPTextEncode", "artlock: negative", text="bad", clip=["4", 1]),
        "8": node("VAEDecode", samples=["3", 0], vae=["4", 2]),
        "9": node("SaveImage", filename_prefix="ComfyUI", images=["8", 0]),
    }
    nodes.update({name[1:]: value for name, value in changed.items()})
    return {number: value for number, value in nodes.items() if value is not None}


class Studio:
    """An engine on a server."""

    def __init__(self, server: ComfyServer, folder: Path) -> None:
        self.server = server
        self.staging = folder / "staging"
        self.staging.mkdir()
        self.inputs = folder / "inputs"
        self.inputs.mkdir()
        self.steps: list[tuple[int, int]] = []

    def opening(self, **settings: Any) -> Open:
        return Open(
            protocol=protocol.PROTOCOL,
            adapter="comfyui",
            engine="studio",
            model="",
            revision="",
            staging=str(self.staging),
            settings={"base_url": self.server.url, "timeout": 20, **settings},
        )

    def request(self, nodes: Any = None, *, files: Mapping[str, Path] | None = None, **more: Any) -> Request:
        path = self.inputs / "workflow.json"
        path.write_text(
            nodes if isinstance(nodes, str) else json.dumps(drawing() if nodes is None else nodes)
        )
        given: dict[str, Any] = {name: more.pop(name) for name in ("slots", "values") if name in more}
        inputs = {"workflow": str(path), **{name: str(file) for name, file in (files or {}).items()}}
        return Request(id="1", asset="hero", output="a.png", parameters=given, inputs=inputs, **more)

    def make(self, asked: Request, **settings: Any) -> Result:
        engine = comfyui.load(self.opening(**settings))
        (result,) = engine.render([asked], lambda _id, step, of: self.steps.append((step, of)))
        return result

    def made(self, asked: Request, **settings: Any) -> Done:
        result = self.make(asked, **settings)
        assert isinstance(result, Done), result
        return result

    def failed(self, asked: Request, **settings: Any) -> Failure:
        result = self.make(asked, **settings)
        assert isinstance(result, Failure), result
        assert not list(self.staging.iterdir())
        return result

    def sent(self) -> dict[str, Any]:
        """The nodes of the one workflow that was submitted."""
        (body,) = self.server.submitted
        nodes: dict[str, Any] = body["prompt"]
        return nodes
