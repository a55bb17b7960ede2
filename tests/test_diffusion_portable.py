"""Portable pictures: the same bytes on CPUs of two makers and in any batch; refused where they can't be."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

import portable_draw  # noqa: E402 - torch first, or there is nothing to test
import sd3_small  # noqa: E402
from test_diffusion_families import flux, stable_diffusion_1, stable_diffusion_xl  # noqa: E402

from engines import diffusion, protocol  # noqa: E402
from engines.diffusion import exact, portable, settings  # noqa: E402
from engines.protocol import EngineError, ErrorKind, Open, Request  # noqa: E402

PROGRAM = Path(portable_draw.__file__)
QEMU = shutil.which("qemu-x86_64") or shutil.which("qemu-x86_64-static")

able = pytest.mark.skipif(
    platform.machine() != "x86_64" or not torch.cpu.get_capabilities().get("avx2"),
    reason="this CPU has no AVX2",
)
emulated = pytest.mark.skipif(QEMU is None, reason="no qemu-user to emulate other CPUs")


def work(name: str, folder: Path, **more: Any) -> dict[str, Any]:
    """What to draw, as the program reads it."""
    plain = {"name": name, "folder": str(folder), "size": 64, "pictures": 3, "together": True}
    return {**plain, "parameters": {}, **more}


def run(staging: Path, *works: dict[str, Any], cpu: str = "", **environ: str) -> dict[str, Any]:
    """What the program prints on this CPU, or on an emulated one."""
    staging.mkdir()
    words = [sys.executable, str(PROGRAM), str(staging)]
    if cpu:
        assert QEMU is not None
        words = [QEMU, "-cpu", cpu, *words]
    done = subprocess.run(
        words,
        input=json.dumps(works).encode(),
        capture_output=True,
        env={**os.environ, **environ},
        check=False,
    )
    # The emulator tells of hundreds of features that it lacks.
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(autouse=True)
def environment() -> Iterator[None]:
    """Loading sets environment variables, as it may in a process of its own."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@able
@emulated
@pytest.mark.slow
def test_cpus_of_two_makers_draw_the_same_bytes(tmp_path: Path) -> None:
    picture = work("sd3", sd3_small.make(tmp_path / "model"), size=96, pictures=1, together=False)
    with ThreadPoolExecutor() as threads:
        # Most of the time goes into importing the libraries under emulation, a minute and a half for each.
        others = [threads.submit(run, tmp_path / cpu, picture, cpu=cpu) for cpu in ("Haswell", "EPYC-Rome")]
        here = run(tmp_path / "here", picture)
        haswell, rome = (other.result() for other in others)
    assert len(here["sd3"]["alone"]) == 1
    for found in (haswell, rome):
        assert found["sd3"] == here["sd3"]
        assert found["mathematics"] == here["mathematics"]
        assert found["environment"]["ATEN_CPU_CAPABILITY"] == "avx2"


@emulated
@pytest.mark.slow
def test_a_cpu_without_avx2_is_told_so(tmp_path: Path) -> None:
    picture = work("sd3", sd3_small.make(tmp_path / "model"), pictures=1, together=False)
    assert run(tmp_path / "old", picture, cpu="IvyBridge")["error"] == [
        "missing",
        "`portable` pictures need an x86-64 CPU with AVX2 and FMA; this one has no AVX2 and no FMA",
        "build on another machine, or remove `portable` from the engine: other pictures",
    ]


FAMILIES: dict[str, tuple[Callable[[], Any], dict[str, Any]]] = {
    "Stable Diffusion 1.5": (stable_diffusion_1, {}),
    "Stable Diffusion XL": (stable_diffusion_xl, {"scheduler": "DPMSolverMultistepScheduler"}),
    "Flux": (flux, {"max_sequence_length": 32}),
}


@able
@pytest.mark.slow
def test_neither_batch_nor_order_nor_neighbours_matter(tmp_path: Path) -> None:
    works = [
        work(
            "Stable Diffusion 3",
            sd3_small.make(tmp_path / "sd3", with_t5=True),
            parameters={"max_sequence_length": 32},
            size=128,
        )
    ]
    for name, (make, parameters) in FAMILIES.items():
        make().save_pretrained(tmp_path / name)
        works.append(work(name, tmp_path / name, parameters=parameters))
    # What the shell says must not get in the way of the pins.
    found = run(tmp_path / "drawn", *works, MKL_CBWR="AUTO", ATEN_CPU_CAPABILITY="default")
    for name in ("Stable Diffusion 3", *FAMILIES):
        alone = found[name].pop("alone")
        assert len(set(alone.values())) == 3
        for way, together in found[name].items():
            assert together.items() <= alone.items(), (name, way)
    assert {name: found["environment"].get(name) for name in ("MKL_CBWR", "threads")} == {
        "MKL_CBWR": "COMPATIBLE",
        "threads": "1",
    }


def opening(model: Path, **settings: Any) -> Open:
    return Open(
        protocol=protocol.PROTOCOL,
        adapter="diffusion",
        engine="small",
        model=str(model),
        revision="",
        staging=str(model),
        settings=settings,
        parameters={"portable": True},
    )


@pytest.mark.parametrize(
    ("chosen", "message", "hint"),
    [
        (
            {"device": "cuda:0"},
            '`portable` pictures need `device = "cpu"`, not `"cuda:0"`',
            "remove `device` or `portable` from the engine",
        ),
        (
            {"dtype": "bfloat16"},
            '`portable` pictures need `dtype = "float32"`, not `"bfloat16"`',
            "remove `dtype` or `portable` from the engine",
        ),
        (
            {"threads": 2},
            "`portable` pictures need `threads = 1`, not `2`",
            "remove `threads` or `portable` from the engine",
        ),
    ],
)
def test_settings_that_rule_it_out_are_refused(
    tmp_path: Path, chosen: dict[str, Any], message: str, hint: str
) -> None:
    with pytest.raises(EngineError) as caught:
        diffusion.load(opening(tmp_path, **chosen))
    assert (caught.value.kind, caught.value.message, caught.value.hint) == (
        ErrorKind.BAD_REQUEST,
        message,
        hint,
    )


def test_libraries_that_were_loaded_before_they_were_pinned_are_noticed() -> None:
    with pytest.raises(EngineError) as caught:
        portable.check_cpu({"avx2": True, "fma3": True}, "AVX512")
    assert caught.value.message == "torch computes with `AVX512`, though `portable` holds it to `AVX2`"
    portable.check_cpu({"avx2": True, "fma3": True}, "AVX2")


REQUEST = Request(
    id="0", asset="hero", output="0.png", prompt="a moon", seed=0, size=(64, 64), parameters={"steps": 1}
)


@pytest.mark.parametrize(("here", "asked"), [(True, None), (False, True)])
def test_a_process_makes_no_picture_of_the_other_kind(here: bool, asked: bool | None) -> None:
    parameters = {"steps": 1} | ({} if asked is None else {"portable": asked})
    opened = settings.read({}, {"portable": here})
    with pytest.raises(EngineError) as caught:
        portable.check_request(replace(REQUEST, parameters=parameters), opened)
    assert caught.value.message == (
        f"`portable` holds for a whole process, and this one {'is' if here else 'is not'}"
    )
    portable.check_request(replace(REQUEST, parameters={"portable": here}), opened)


def test_products_of_a_batch_are_those_of_its_samples() -> None:
    three = torch.randn(3, 5, 8, generator=torch.Generator().manual_seed(1))
    weight = torch.randn(4, 8, generator=torch.Generator().manual_seed(2))
    mask = torch.zeros(3, 1, 5, 5)
    heads = three.view(3, 5, 2, 4).transpose(1, 2)
    attend = torch.nn.functional.scaled_dot_product_attention
    calls: dict[str, Callable[[], Any]] = {
        "linear": lambda: torch.nn.functional.linear(three, weight),
        "matmul": lambda: torch.matmul(three, weight.T),
        "operator": lambda: three @ three.transpose(1, 2),
        "one vector": lambda: torch.nn.functional.linear(three[0, 0], weight),
        "attention": lambda: attend(heads, heads, heads),
        "masked": lambda: attend(query=heads, key=heads, value=heads, attn_mask=mask),
        "one mask for all": lambda: attend(heads, heads, heads, mask[0]),
    }
    for name, call in calls.items():
        plain = call()
        with exact.Alone(settings.read({}, {"portable": True})):
            apart = call()
        assert apart.shape == plain.shape, name
        assert torch.allclose(apart, plain, atol=1e-5), name


def test_the_pins_hold_every_library_that_the_environment_tells() -> None:
    card = tomllib.loads((PROGRAM.parent.parent / "engines/diffusion/adapter.toml").read_text("utf-8"))
    assert card["bitwise_when"] == {portable.PARAMETER: True}
    assert card["parameters"][portable.PARAMETER]["process"] is True
