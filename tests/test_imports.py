"""What pictures of other programs say: read out of their files, whole or hostile, and understood."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from import_kit import (
    A1111,
    COMFY,
    DRAWN,
    FLUX,
    INVOKE,
    NAMED,
    OLDER,
    OLDEST,
    chunk,
    commented,
    plain,
    png,
    with_chunk,
)

from buildsys.errors import ArtlockError
from buildsys.imports import comfy, exif, infotext, invoke, said, texts
from buildsys.imports.found import Found
from engines.finish import marks


def read(path: Path) -> Found | None:
    return said.read(texts.read(path))


KNIGHT = Found(
    tool="A1111",
    prompt="moon knight, 3/4 view, {silver} armour, (cape:1.2)\na second line",
    negative="blurry, extra fingers",
    seed=3478,
    size=(512, 768),
    steps=28,
    guidance=7.0,
    others={
        "Sampler": "DPM++ 2M",
        "Schedule type": "Karras",
        "Model hash": "879db523c3",
        "Model": "dreamshaper_8",
        "Lora hashes": "cape: 1a2b, moon: 3c4d",
        "Version": "v1.10.1",
    },
)


@pytest.mark.parametrize("packed", [False, True])
def test_a1111_in_a_png(packed: bool, tmp_path: Path) -> None:
    assert read(png(tmp_path / "a.png", {"parameters": A1111}, packed=packed)) == KNIGHT


def test_letters_beyond_latin_1_are_in_another_chunk(tmp_path: Path) -> None:
    found = read(png(tmp_path / "a.png", {"parameters": A1111.replace("moon", "月")}))
    assert found is not None
    assert found.prompt.startswith("月 knight")


@pytest.mark.parametrize("suffix", ["jpg", "webp"])
def test_a1111_in_a_user_comment(suffix: str, tmp_path: Path) -> None:
    assert read(commented(tmp_path / f"a.{suffix}", A1111)) == KNIGHT


def test_a_comment_in_the_other_byte_order() -> None:
    order: Literal["little"] = "little"
    block = b"".join([
        b"II*\0" + (8).to_bytes(4, order),
        b"\1\0" + b"\x69\x87" + b"\4\0" + (1).to_bytes(4, order) + (26).to_bytes(4, order) + bytes(4),
        b"\1\0" + b"\x86\x92" + b"\7\0" + (16).to_bytes(4, order) + (44).to_bytes(4, order) + bytes(4),
        b"UNICODE\0" + "moon".encode("utf-16-le"),
    ])  # fmt: skip
    assert list(exif.texts(block)) == ["moon"]


def test_comfyui_in_a_webp(tmp_path: Path) -> None:
    from import_kit import picture  # noqa: PLC0415 - only here
    from PIL import Image  # noqa: PLC0415 - only here

    tags = Image.Exif()
    tags[0x0110] = "prompt:" + json.dumps(COMFY)
    tags[0x010F] = "workflow:" + json.dumps({"nodes": []})
    picture().save(tmp_path / "a.webp", exif=tags)
    found = read(tmp_path / "a.webp")
    assert found is not None
    assert (found.tool, found.prompt) == ("ComfyUI", "a glass bottle")


def test_a_graph_is_walked_back_from_its_picture() -> None:
    found = comfy.read(json.dumps(COMFY))
    assert found is not None
    assert found == Found(
        tool="ComfyUI",
        prompt="a glass bottle",
        negative="text, watermark",
        seed=156680208700286,
        size=(512, 640),
        steps=20,
        guidance=8.0,
        others={"model": "sd15.safetensors", "sampler": "euler", "scheduler": "normal", "denoise": "1.0"},
        workflow=found.workflow,
        slots={"prompt": "6.text", "negative": "7.text", "seed": "3.seed", "size": "5"},
    )


def test_a_graph_whose_sampler_leaves_all_to_other_nodes() -> None:
    found = comfy.read(json.dumps(FLUX))
    assert found is not None
    assert found == Found(
        tool="ComfyUI",
        prompt="an owl",
        seed=42,
        size=(1024, 1024),
        steps=4,
        guidance=3.5,
        others={"model": "flux1-schnell.safetensors", "sampler": "euler", "scheduler": "simple"},
        workflow=found.workflow,
        slots={"prompt": "12.value", "seed": "4.noise_seed", "size": "8"},
    )


def test_a_graph_with_a_circle_ends() -> None:
    graph = json.loads(json.dumps(COMFY))
    graph["6"]["inputs"] = {"clip": ["3", 0]}
    found = comfy.read(json.dumps(graph))
    assert found is not None
    assert found.seed == 156680208700286


def test_a_graph_without_a_sampler_says_nothing() -> None:
    assert comfy.read(json.dumps({"9": COMFY["9"]})) is None


def test_a_drawing_is_read_where_no_graph_that_ran_is_there(tmp_path: Path) -> None:
    found = read(png(tmp_path / "a.png", {"workflow": json.dumps(DRAWN)}))
    assert found == Found(
        tool="ComfyUI",
        prompt="a glass bottle",
        negative="text, watermark",
        seed=156680208700286,
        size=(512, 640),
        steps=25,  # the one of the primitive that is linked to it
        guidance=8.0,
        others={"model": "sd15.safetensors", "sampler": "euler", "scheduler": "normal", "denoise": "1"},
    )


def test_a_drawing_that_names_its_widgets_may_have_any_nodes(tmp_path: Path) -> None:
    found = read(png(tmp_path / "a.png", {"workflow": json.dumps(NAMED)}))
    assert found == Found(
        tool="ComfyUI",
        prompt="an owl",
        seed=42,
        steps=4,
        guidance=1.5,
        others={"sampler": "euler", "scheduler": "simple"},
    )


def test_what_was_run_goes_before_what_was_drawn(tmp_path: Path) -> None:
    found = read(png(tmp_path / "a.png", {"workflow": json.dumps(NAMED), "prompt": json.dumps(COMFY)}))
    assert found is not None
    assert found.prompt == "a glass bottle"
    found = read(png(tmp_path / "b.png", {"workflow": json.dumps(NAMED), "parameters": A1111}))
    assert found == KNIGHT


def without(*numbers: int) -> dict[str, Any]:
    return {**DRAWN, "nodes": [node for node in DRAWN["nodes"] if node["id"] not in numbers]}


def with_stranger() -> dict[str, Any]:
    stranger = {"id": 6, "type": "StudioText", "inputs": [], "widgets_values": ["a glass bottle", 2]}
    return {**DRAWN, "nodes": [*without(6)["nodes"], stranger]}


UNREAD = "its workflow has no sampler that artlock can read"


@pytest.mark.parametrize(
    ("texts", "unread"),
    [
        ({"workflow": json.dumps(without(3))}, UNREAD),
        ({"prompt": json.dumps({"9": COMFY["9"]})}, UNREAD),
        (
            {"workflow": json.dumps({**without(3), "definitions": {"subgraphs": [{"id": "5e3a"}]}})},
            "its workflow has no sampler outside of subgraphs that artlock can read",
        ),
        ({"workflow": json.dumps(with_stranger())}, "its prompt stands in a node that artlock can't read"),
    ],
)
def test_what_of_a_graph_is_not_understood_is_said(
    texts: dict[str, str], unread: str, tmp_path: Path
) -> None:
    found = read(png(tmp_path / "a.png", texts))
    assert found is not None
    assert (found.tool, found.prompt, found.unread) == ("ComfyUI", "", unread)


@pytest.mark.parametrize("text", ["a plan for the day", "{", "[]", "{}", '{"nodes": {}, "links": []}'])
def test_a_text_that_is_no_graph_says_nothing(text: str, tmp_path: Path) -> None:
    assert read(png(tmp_path / "a.png", {"workflow": text, "prompt": text})) is None


def test_widgets_that_are_not_all_named_are_left_out() -> None:
    sampler = {**NAMED["nodes"][0], "inputs": NAMED["nodes"][0]["inputs"][:4]}
    drawing = {**NAMED, "nodes": [sampler, *NAMED["nodes"][1:]]}
    assert comfy.drawn(json.dumps(drawing)) is None


def test_a_drawing_with_a_circle_ends() -> None:
    bend = {"id": 11, "type": "Reroute", "inputs": [{"name": "", "type": "*", "link": 17}]}
    links = [*DRAWN["links"], [17, 11, 0, 11, 0, "*"]]
    drawing = {**DRAWN, "nodes": [*without(11)["nodes"], bend], "links": links}
    assert comfy.drawn(json.dumps(drawing)) is None  # the sampler gets no prompt


def test_invokeai_now_and_before() -> None:
    assert invoke.read(INVOKE) == Found(
        tool="InvokeAI",
        prompt="a lighthouse",
        negative="people",
        seed=1790418421,
        size=(1024, 768),
        steps=30,
        guidance=5.5,
        others={
            "model": "Juggernaut XL",
            "scheduler": "euler",
            "generation_mode": "sdxl_txt2img",
            "app_version": "5.6.0",
        },
    )
    assert invoke.older(OLDER) == Found(
        tool="InvokeAI",
        prompt="a ship at sea",
        negative="blurry",
        seed=7,
        size=(512, 512),
        steps=50,
        guidance=7.5,
        others={"model": "stable-diffusion-1.5", "sampler": "k_lms"},
    )
    assert invoke.oldest(OLDEST) == Found(
        tool="InvokeAI",
        prompt="a ship at sea",
        seed=42,
        size=(512, 640),
        steps=50,
        guidance=7.5,
        others={"sampler": "k_lms"},
    )


@pytest.mark.parametrize(
    ("keyword", "text", "tool"),
    [
        ("invokeai_metadata", INVOKE, "InvokeAI"),
        ("sd-metadata", OLDER, "InvokeAI"),
        ("Dream", OLDEST, "InvokeAI"),
        ("prompt", json.dumps(FLUX), "ComfyUI"),
        ("parameters", json.dumps({"sui_image_params": {"prompt": "a", "seed": 1}}), "SwarmUI"),
    ],
)
def test_each_keyword_has_its_reader(keyword: str, text: str, tool: str, tmp_path: Path) -> None:
    found = read(png(tmp_path / "a.png", {keyword: text, "Software": "gimp"}))
    assert found is not None
    assert found.tool == tool


def test_a_prompt_that_looks_like_settings_stays_a_prompt() -> None:
    found = infotext.read("a sign that says: Open, Time: noon\nSteps: 4, Seed: 5, Size: 64x64, Model: x")
    assert found is not None
    assert found.prompt == "a sign that says: Open, Time: noon"
    assert found.seed == 5


def test_numbers_that_no_manifest_can_hold_are_left_out() -> None:
    found = infotext.read(f"x\nSteps: 4e9, Seed: -1, Size: 0x99999999, CFG scale: nan, Model: {'9' * 99}")
    assert found is not None
    assert (found.seed, found.size, found.steps, found.guidance) == (None, None, None, None)


def test_a_plain_picture_says_nothing(tmp_path: Path) -> None:
    assert read(png(tmp_path / "a.png", {"Comment": "made by hand"})) is None


def test_another_kind_of_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.gif").write_bytes(b"GIF89a" + bytes(20))
    with pytest.raises(ArtlockError) as caught:
        texts.read(tmp_path / "a.gif")
    assert str(caught.value) == (
        f"`{tmp_path}/a.gif` is not a PNG, JPEG or WebP picture\n\nhint: save it as a PNG"
    )


def test_a_text_that_unpacks_to_gigabytes_is_passed_over(tmp_path: Path) -> None:
    engine = zlib.compressobj(9)
    bomb = b"".join(engine.compress(bytes(1 << 20)) for _ in range(64)) + engine.flush()
    data = with_chunk(plain(), chunk(b"zTXt", b"parameters\0\0" + bomb))
    data = with_chunk(data, chunk(b"iTXt", b"prompt\0\1\0\0\0" + bomb))
    data = with_chunk(data, chunk(b"tEXt", b"Dream\0" + OLDEST.encode()))
    (tmp_path / "a.png").write_bytes(data)
    assert texts.read(tmp_path / "a.png") == {"Dream": OLDEST}


def test_a_damaged_chunk_is_passed_over(tmp_path: Path) -> None:
    torn = bytearray(chunk(b"tEXt", b"parameters\0" + A1111.encode()))
    torn[20] ^= 1
    (tmp_path / "a.png").write_bytes(with_chunk(plain(), bytes(torn)))
    assert texts.read(tmp_path / "a.png") == {}


def test_what_artlock_writes_is_read(tmp_path: Path) -> None:
    text = "a knight\nNegative prompt: blur\nSeed: 5, Size: 64x64, Model: artlock-icons, Version: artlock"
    written = marks.into_png(plain(), marks.Marks(text, "digitalCreation"))
    (tmp_path / "a.png").write_bytes(written)
    assert texts.read(tmp_path / "a.png")["XML:com.adobe.xmp"].startswith("<?xpacket")
    found = read(tmp_path / "a.png")
    assert found is not None
    assert (found.tool, found.prompt, found.negative, found.seed) == ("artlock", "a knight", "blur", 5)


hostile = st.one_of(
    st.binary(max_size=400),
    st.binary(max_size=300).map(lambda body: with_chunk(plain(), chunk(b"tEXt", body))),
    st.binary(max_size=300).map(lambda body: with_chunk(plain(), chunk(b"iTXt", b"prompt\0\1\0\0\0" + body))),
    st.binary(max_size=300).map(lambda body: with_chunk(plain(), chunk(b"eXIf", b"MM\0*" + body))),
    st.binary(max_size=300).map(lambda body: b"\x89PNG\r\n\x1a\n" + body),
    st.binary(max_size=300).map(lambda body: b"\xff\xd8\xff\xe1\x01\x00Exif\0\0II*\0" + body),
    st.binary(max_size=300).map(lambda body: b"RIFF\0\0\0\0WEBPEXIF\xff\0\0\0" + body),
)


@settings(max_examples=400, deadline=None)
@given(data=hostile)
def test_no_file_breaks_the_reader(data: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "hostile"
    path.write_bytes(data)
    try:
        found = texts.read(path)
    except ArtlockError:
        return
    assert sum(map(len, found.values())) <= len(data) * 1100
    said.read(found)


words = st.sampled_from(
    [
        "Steps: 20",
        "Seed: 7",
        'Model: "a, b"',
        "Size: 64x64",
        '"',
        ": ",
        ",",
        "\n",
        "Negative prompt:",
        "\\",
        "x",
    ]
)


@settings(max_examples=400, deadline=None)
@given(st.lists(words, max_size=20).map("".join))
def test_no_infotext_breaks_the_reader(text: str) -> None:
    found = infotext.read(text)
    assert found is None or found.tool in {"A1111", "artlock"}


DRAWING = ("nodes", "links", "id", "type", "name", "link", "widget", "widgets_values", "definitions")

jsons = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["inputs", "class_type", "positive", "seed", "text", "image", "1", "2", *DRAWING]
            ),
            inner,
            max_size=4,
        ),
        st.tuples(st.sampled_from(["1", "2"]), st.integers(0, 1)).map(list),
    ),
    max_leaves=20,
)


@settings(max_examples=400, deadline=None)
@given(jsons)
def test_no_json_breaks_a_reader(value: object) -> None:
    text = json.dumps(value)
    for reader in (comfy.read, comfy.drawn, comfy.unread, invoke.read, invoke.older, infotext.read):
        reader(text)
    nodes = {"1": {"class_type": "SaveImage", "inputs": {"images": ["2", 0]}}}
    comfy.read(json.dumps({**nodes, "2": {"class_type": "K", "inputs": {"positive": value, "seed": value}}}))
    sampler = {"id": 1, "type": "KSampler", "inputs": value, "outputs": value, "widgets_values": value}
    for links in (value, [value], [[1, 1, 0]]):
        comfy.drawn(json.dumps({"nodes": [value, sampler], "links": links}))
