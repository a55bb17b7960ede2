"""The adapter `comfyui` against a server that behaves as ComfyUI does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from comfyui_kit import ROOT, Studio, drawing, node
from contracts.comfyui import ComfyServer, until
from engine_child import ENTRY, converse
from game import Game
from PIL import Image

from engines import comfyui, parameters, png, protocol
from engines.comfyui import identity
from engines.protocol import Done, EngineError, ErrorKind, Failure, Progress, Render


@pytest.fixture
def server() -> Iterator[ComfyServer]:
    with ComfyServer().serving() as server:
        yield server


@pytest.fixture
def studio(server: ComfyServer, tmp_path: Path) -> Studio:
    return Studio(server, tmp_path)


def test_a_picture(studio: Studio) -> None:
    done = studio.made(studio.request(prompt="moon knight", negative="blurry", seed=7, size=(64, 48)))
    assert done == Done(id="1", output="a.png")
    assert png.decode(studio.staging / "a.png").shape == (48, 64, 3)
    sent = studio.sent()
    assert sent["6"]["inputs"]["text"] == "moon knight"
    assert sent["7"]["inputs"]["text"] == "blurry"
    assert sent["3"]["inputs"]["seed"] == 7
    assert (sent["5"]["inputs"]["width"], sent["5"]["inputs"]["height"]) == (64, 48)
    assert sent["3"]["inputs"]["steps"] == 4
    assert studio.server.asked == [
        *("GET /system_stats", "GET /queue", "GET /ws", "POST /prompt"),
        *(f"GET /history/{studio.server.submitted[0]['prompt_id']}", "GET /view"),
    ]


def test_steps_only_go_on(studio: Studio) -> None:
    studio.made(studio.request(prompt="a", seed=1))
    steps = [step for step, _ in studio.steps]
    assert steps == sorted(set(steps))
    assert studio.steps[-1] == (10, 10)
    assert (3, 10) in studio.steps


def test_values_of_its_own(studio: Studio) -> None:
    studio.made(studio.request(values={"steps": 2}))
    assert studio.sent()["3"]["inputs"]["steps"] == 2


def test_a_picture_is_uploaded(studio: Studio) -> None:
    source = studio.inputs / "sketch.png"
    Image.new("RGB", (4, 4), "red").save(source)
    nodes = drawing(n10=node("LoadImage", "artlock:image", image="example.png", upload="image"))
    studio.made(studio.request(nodes, files={"image": source}))
    name = studio.sent()["10"]["inputs"]["image"]
    assert studio.server.uploads == {name: source.read_bytes()}
    assert name.startswith("artlock/")
    assert name.endswith(".png")


def test_an_old_server(studio: Studio) -> None:
    studio.server.old = True
    studio.made(studio.request(prompt="a", seed=1))


@pytest.mark.parametrize("kept", ["none", "dropped"])
def test_without_its_socket_the_history_has_to_do(kept: str, studio: Studio) -> None:
    if kept == "none":
        studio.server.sockets_allowed = False
    else:
        studio.server.drops_socket = True
    studio.made(studio.request(prompt="a", seed=1))


def test_a_server_too_busy_to_answer_is_waited_for(studio: Studio) -> None:
    server = studio.server
    server.slow.add("/history")

    def recover() -> None:
        assert until(lambda: any("/history/" in asked for asked in server.asked))
        server.slow.clear()

    thread = threading.Thread(target=recover)
    thread.start()
    studio.made(studio.request(), timeout=2)
    thread.join()
    assert sum("/history/" in asked for asked in server.asked) > 1


def test_a_jpeg_stays_a_jpeg(studio: Studio, tmp_path: Path) -> None:
    Image.new("RGB", (64, 64), "red").save(tmp_path / "a.jpg")
    data = (tmp_path / "a.jpg").read_bytes()
    studio.server.picture = (data, "image/jpeg")
    done = studio.made(studio.request())
    assert done.output == "a.jpg"
    assert (studio.staging / "a.jpg").read_bytes() == data


def test_an_upscaled_picture_is_taken(studio: Studio, tmp_path: Path) -> None:
    Image.new("RGB", (256, 128), "red").save(tmp_path / "a.png")
    studio.server.picture = ((tmp_path / "a.png").read_bytes(), "image/png")
    studio.made(studio.request(size=(128, 64)))


def test_the_environment(studio: Studio) -> None:
    found = dict(comfyui.load(studio.opening()).environment())
    assert found.pop("httpx2")
    assert found == {
        "comfyui": "0.33.1",
        "torch": "2.12.0+cu130",
        "python": "3.12.3",
        "device": "cuda:0 Small GPU : cudaMallocAsync",
        "host": studio.server.url.removeprefix("http://"),
    }


# What goes wrong --------------------------------------------------------------------------------------


OUT_OF_MEMORY = {
    "exception_type": "torch.OutOfMemoryError",
    "exception_message": "Allocation on device 0 would exceed allowed memory.\n",
}


@pytest.mark.parametrize("sockets", [True, False])
@pytest.mark.parametrize(
    ("failure", "kind", "message"),
    [
        (OUT_OF_MEMORY, ErrorKind.OUT_OF_MEMORY, "the server ran out of memory in node `3` (`KSampler`)"),
        (
            {"exception_type": "ValueError", "exception_message": "bad shape\n"},
            ErrorKind.INTERNAL,
            "node `3` (`KSampler`) failed on the server: ValueError: bad shape",
        ),
    ],
)
def test_a_node_that_fails(
    failure: dict[str, str], kind: ErrorKind, message: str, sockets: bool, studio: Studio
) -> None:
    studio.server.failure = failure
    studio.server.sockets_allowed = sockets
    found = studio.failed(studio.request())
    assert (found.kind, found.message) == (kind, message)


REFUSED: list[tuple[dict[str, Any], dict[str, Any], ErrorKind, str]] = [
    (
        {"n4": node("CheckpointLoaderSimple", ckpt_name="flux.safetensors")},
        {},
        ErrorKind.MISSING,
        (
            "the server has no model `flux.safetensors`, "
            "which node `4` (`CheckpointLoaderSimple`) wants as `ckpt_name`"
        ),
    ),
    (
        {"n11": node("RemoveBackground", "Cut it out", images=["8", 0])},
        {},
        ErrorKind.MISSING,
        "the server has no node type `RemoveBackground`, which node `11` of the workflow is",
    ),
    (
        {"n3": node("KSampler", seed=1, steps=4, sampler_name="eular")},
        {},
        ErrorKind.BAD_REQUEST,
        (
            "`sampler_name` of node `3` (`KSampler`) can't be `eular`: "
            "sampler_name: 'eular' not in ['euler', 'dpmpp_2m']"
        ),
    ),
    (
        {},
        {"size": (4096, 4096)},
        ErrorKind.BAD_REQUEST,
        "the server refused `width` of node `5` (`EmptyLatentImage`): Value 4096 bigger than max of 2048",
    ),
    (
        {"n6": node("CLIPTextEncode", clip=["4", 1])},
        {},
        ErrorKind.BAD_REQUEST,
        "the server refused `text` of node `6` (`CLIPTextEncode`): Required input is missing",
    ),
    (
        {"n10": node("LoadImage", image="example.png")},
        {},
        ErrorKind.BAD_REQUEST,
        (
            "the server refused `image` of node `10` (`LoadImage`): Custom validation failed for node "
            "(image - Invalid image file: example.png)"
        ),
    ),
    (
        {"n12": node("PreviewImage", broken=True)},
        {},
        ErrorKind.BAD_REQUEST,
        "the server refused `x` of node `12` (`PreviewImage`): Required input is missing",
    ),
]


@pytest.mark.parametrize(("changed", "more", "kind", "message"), REFUSED)
def test_a_workflow_that_is_refused(
    changed: dict[str, Any], more: dict[str, Any], kind: ErrorKind, message: str, studio: Studio
) -> None:
    found = studio.failed(studio.request(drawing(**changed), **more))
    assert (found.kind, found.message) == (kind, message)
    assert until(lambda: not studio.server.jobs())


def test_a_workflow_without_an_output_on_the_server(studio: Studio) -> None:
    nodes = drawing(n9=None, n8=node("VAEDecode", "artlock:output", samples=["3", 0], vae=["4", 2]))
    found = studio.failed(studio.request(nodes))
    assert found.message == "the server refused the workflow: Prompt has no outputs"


def test_several_pictures(studio: Studio) -> None:
    studio.server.batch = 2
    found = studio.failed(studio.request())
    assert found.kind is ErrorKind.BAD_REQUEST
    assert found.message.startswith("node `9` (`SaveImage`) gave 2 pictures (`SaveImage_")
    assert found.hint == "set `batch_size` to 1 in the workflow"


def test_a_size_that_the_model_can_not_make(studio: Studio) -> None:
    found = studio.failed(studio.request(size=(500, 500)))
    assert (found.kind, found.message) == (
        ErrorKind.BAD_REQUEST,
        "the workflow made 496x496 pixels where 500x500 was asked for",
    )


def test_a_server_that_is_away(studio: Studio) -> None:
    with pytest.raises(EngineError) as caught:
        comfyui.load(studio.opening(base_url="http://127.0.0.1:9"))
    assert (caught.value.kind, caught.value.message, caught.value.hint) == (
        ErrorKind.TRANSIENT,
        "no ComfyUI answers at `http://127.0.0.1:9`",
        "start ComfyUI there, or correct `base_url` in the engine's table",
    )


@pytest.mark.parametrize("url", ["127.0.0.1:8188", "ftp://x", "http://", "http://a:port"])
def test_an_address_that_is_none(url: str, studio: Studio) -> None:
    with pytest.raises(EngineError) as caught:
        comfyui.load(studio.opening(base_url=url))
    assert caught.value.message == f"`base_url` is `{url}`, not the address of a server"


def test_a_password_in_the_address_is_not_told(studio: Studio) -> None:
    with pytest.raises(EngineError) as caught:
        comfyui.load(studio.opening(base_url="http://ada:hunter2@127.0.0.1:9"))
    assert caught.value.message == "no ComfyUI answers at `http://127.0.0.1:9`"


HTML = b"<!DOCTYPE html><html><body>" + b"Welcome! " * 20
ANSWERS: list[tuple[str, tuple[int, str, bytes], ErrorKind, str]] = [
    (
        "/prompt",
        (200, "text/html", HTML),
        ErrorKind.INTERNAL,
        "`{url}/prompt` gave no JSON: `" + HTML[:80].decode().strip() + "`: that is no ComfyUI",
    ),
    (
        "/prompt",
        (404, "text/plain", b"404: Not Found"),
        ErrorKind.INTERNAL,
        "`{url}/prompt` gave 404 `404: Not Found`: that is no ComfyUI",
    ),
    (
        "/prompt",
        (401, "application/json", b'{"detail": "who are you"}'),
        ErrorKind.AUTH,
        'the server answered `/prompt` with 401: `{"detail": "who are you"}`',
    ),
    (
        "/prompt",
        (500, "text/plain", b"oops"),
        ErrorKind.TRANSIENT,
        "the server answered `/prompt` with 500: `oops`",
    ),
    ("/queue", (503, "text/plain", b""), ErrorKind.TRANSIENT, "the server answered `/queue` with 503"),
    (
        "/view",
        (200, "text/html", HTML),
        ErrorKind.INTERNAL,
        "the server gave no PNG, JPEG or WebP but `text/html`: `" + HTML[:80].decode() + "`",
    ),
    (
        "/view",
        (200, "image/jpeg", b"\x89PNG\r\n\x1a\n"),
        ErrorKind.INTERNAL,
        "the server calls a picture `image/jpeg` that is `image/png`",
    ),
]


@pytest.mark.parametrize(("path", "answer", "kind", "message"), ANSWERS)
def test_strange_answers(
    path: str, answer: tuple[int, str, bytes], kind: ErrorKind, message: str, studio: Studio
) -> None:
    studio.server.answers[path] = answer
    found = studio.failed(studio.request())
    assert (found.kind, found.message) == (kind, message.replace("{url}", studio.server.url))
    assert studio.server.asked.count("POST /prompt") == (path != "/queue")


def test_another_server_at_the_address(studio: Studio) -> None:
    studio.server.answers["/system_stats"] = (200, "application/json", b'{"ok": true}')
    with pytest.raises(EngineError) as caught:
        comfyui.load(studio.opening())
    url = studio.server.url
    assert caught.value.message == f"`{url}/system_stats` gave an answer without `system`: that is no ComfyUI"


@pytest.mark.parametrize("path", ["/prompt", "/view"])
def test_an_answer_that_breaks_off(path: str, studio: Studio) -> None:
    studio.server.torn.add(path)
    found = studio.failed(studio.request())
    assert found.kind is ErrorKind.TRANSIENT
    assert found.message.startswith(f"the server at `{studio.server.url}` broke off at `{path}`: ")
    assert until(lambda: not studio.server.jobs())


def test_a_server_that_hangs(studio: Studio) -> None:
    studio.server.slow.add("/prompt")
    found = studio.failed(studio.request(), timeout=0.3)
    assert found.kind is ErrorKind.TRANSIENT
    assert found.message.startswith(f"the server at `{studio.server.url}` broke off at `/prompt`: ")
    assert studio.server.asked.count("POST /prompt") == 1


def test_a_cut_picture(studio: Studio, tmp_path: Path) -> None:
    Image.effect_noise((64, 64), 50).save(tmp_path / "a.png")
    studio.server.picture = ((tmp_path / "a.png").read_bytes()[:700], "image/png")
    found = studio.failed(studio.request())
    assert found.kind is ErrorKind.INTERNAL
    assert found.message.startswith("the server's picture can't be used: `SaveImage_")
    assert found.message.endswith("_00000_.png` is cut off or damaged")


def test_a_file_that_the_server_has_lost(studio: Studio) -> None:
    studio.server.lost = True
    found = studio.failed(studio.request())
    assert found.kind is ErrorKind.TRANSIENT
    assert found.message.endswith("_00000_.png` of an earlier job, and was told to forget it")
    assert studio.server.asked[-1] == "POST /free"


def test_a_server_that_forgot_the_job(studio: Studio) -> None:
    studio.server.forgets = True
    found = studio.failed(studio.request())
    url = studio.server.url
    assert (found.kind, found.message) == (
        ErrorKind.TRANSIENT,
        f"the server at `{url}` no longer knows the job: it restarted, or its queue was cleared",
    )


def test_somebody_interrupts(studio: Studio) -> None:
    server = studio.server
    server.hold = threading.Event()

    def cancel() -> None:
        assert server.running.wait(20)
        server.interrupt(server.jobs()[0])

    thread = threading.Thread(target=cancel)
    thread.start()
    found = studio.failed(studio.request())
    thread.join()
    assert (found.kind, found.message) == (
        ErrorKind.INTERNAL,
        "the job was interrupted on the server, in node `3` (`KSampler`)",
    )


# Who leaves what behind -------------------------------------------------------------------------------


def test_what_a_killed_build_left_is_taken_off(studio: Studio) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    mine = identity.client()
    gone = mine.replace(f"-{os.getpid()}-", f"-{ended.pid}-")
    running = studio.server.leave(gone, running=True)
    waiting = studio.server.leave(gone)
    theirs = [studio.server.leave("a-browser"), studio.server.leave(f"artlock-000000000000-{ended.pid}-1")]
    studio.made(studio.request())
    assert studio.server.cancelled == {running, waiting}
    assert studio.server.done[:2] == theirs


def test_who_is_gone() -> None:
    mine = identity.client()
    head, number, start = mine.rsplit("-", 2)
    assert not identity.is_gone(mine)
    assert not identity.is_gone("a-browser")
    assert not identity.is_gone("")
    assert not identity.is_gone(f"artlock-000000000000-{number}-1")
    assert identity.is_gone(f"{head}-{number}-{int(start) + 1}")
    assert identity.is_gone(f"{head}-4194999-{start}")


def child(studio: Studio, asked: protocol.Request) -> tuple[subprocess.Popen[bytes], int]:
    """A real engine at work, and its lifeline."""
    read, write = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-P", str(ENTRY), str(read), "comfyui"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=[read],
        cwd=studio.staging,
    )
    os.close(read)
    assert process.stdin is not None
    process.stdin.write(protocol.encode(studio.opening()) + protocol.encode(Render(requests=(asked,))))
    process.stdin.flush()
    assert studio.server.running.wait(30)
    return process, write


def test_a_killed_engine_leaves_a_job_that_the_next_one_ends(studio: Studio) -> None:
    studio.server.hold = threading.Event()
    process, lifeline = child(studio, studio.request())
    (left,) = studio.server.jobs()
    os.close(lifeline)
    with process:
        process.wait(timeout=20)
    assert studio.server.jobs() == [left]
    assert "POST /interrupt" not in studio.server.asked
    studio.server.hold.set()
    studio.server.hold = None
    studio.made(studio.request(prompt="next"))
    assert until(lambda: not studio.server.jobs())


def test_an_engine_that_is_told_to_stop_takes_its_job_along(studio: Studio) -> None:
    studio.server.hold = threading.Event()
    process, lifeline = child(studio, studio.request())
    (engine,) = psutil.Process(process.pid).children()
    engine.send_signal(signal.SIGTERM)
    with process:
        process.wait(timeout=20)
    os.close(lifeline)
    assert until(lambda: not studio.server.jobs())
    assert studio.server.asked.count("POST /interrupt") == 1


def test_through_a_real_child(studio: Studio) -> None:
    asked = studio.request(prompt="moon", seed=3, size=(64, 64))
    hello, answers = converse(studio.opening(), asked, studio.staging)
    assert (hello.adapter, hello.determinism) == ("comfyui", protocol.Determinism.ENVIRONMENT)
    assert hello.environment["comfyui"] == "0.33.1"
    *steps, done = answers
    assert all(isinstance(step, Progress) for step in steps)
    assert isinstance(done, Done)
    assert png.decode(studio.staging / "a.png").shape == (64, 64, 3)


def test_an_engine_that_can_not_load(studio: Studio) -> None:
    studio.server.answers["/system_stats"] = (403, "text/plain", b"")
    with pytest.raises(EngineError) as caught:
        comfyui.load(studio.opening())
    assert caught.value.kind is ErrorKind.AUTH
    assert caught.value.message == "the server answered `/system_stats` with 403"


def test_a_failed_request_leaves_the_others_alone(studio: Studio) -> None:
    engine = comfyui.load(studio.opening())
    good = studio.request(prompt="a")
    text = Path(good.inputs["workflow"])
    bad = studio.inputs / "bad.json"
    bad.write_text("[]")
    wrong = protocol.Request(id="2", asset="b", output="b.png", inputs={"workflow": str(bad)})
    first, second = engine.render([wrong, good], lambda *_: None)
    assert text.exists()
    assert isinstance(first, Failure)
    assert isinstance(second, Done)


MANIFEST = """\
[project]
name = "knights"

[engines.studio]
adapter = "comfyui"
base_url = "URL"
workflow = "art/knight.json"

[assets.hero]
engine = "studio"
prompt = "moon knight"
seed = 12345
size = [64, 64]
"""


def test_a_build(server: ComfyServer, tmp_path: Path) -> None:
    game = Game(tmp_path / "game", tmp_path / "cache")
    (game.folder / "art").mkdir()
    (game.folder / "art" / "knight.json").write_text(json.dumps(drawing()))
    (game.folder / "assets.toml").write_text(MANIFEST.replace("URL", server.url))
    assert game.build() == {"built": ["hero"]}
    (game.folder / "art" / "knight.json").write_text(json.dumps(drawing(), indent=1))
    assert game.build() == {"built": ["hero"]}
    assert len(server.submitted) == 2


def test_the_variable_s_address_wins_over_the_manifest_s(
    server: ComfyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMFYUI_BASE_URL", server.url)
    game = Game(tmp_path / "game", tmp_path / "cache")
    (game.folder / "art").mkdir()
    (game.folder / "art" / "knight.json").write_text(json.dumps(drawing()))
    (game.folder / "assets.toml").write_text(MANIFEST.replace("URL", "http://nowhere.invalid"))
    assert game.build() == {"built": ["hero"]}


def test_the_page_names_every_parameter_and_setting() -> None:
    page = (ROOT / "docs" / "engine-comfyui.md").read_text()
    card = parameters.card(ROOT / "engines" / "comfyui")
    for name in (*card["parameters"], *card["settings"]):
        assert f"`{name}`" in page, name
