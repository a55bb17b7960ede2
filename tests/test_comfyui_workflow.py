"""Slots of a workflow, and how far a job is: what needs no server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from comfyui_kit import drawing, node
from hypothesis import given
from hypothesis import strategies as st

from engines.comfyui.steps import Steps
from engines.comfyui.workflow import Slots, read
from engines.protocol import EngineError, ErrorKind


def slots(nodes: Any, **given: Any) -> Slots:
    return Slots(nodes, given)


def refusal(nodes: Any, values: dict[str, Any] | None = None, **given: Any) -> tuple[str, str]:
    with pytest.raises(EngineError) as caught:
        Slots(nodes, given).fill(values or {})
    assert caught.value.kind is ErrorKind.BAD_REQUEST
    return caught.value.message, caught.value.hint


def test_titles_name_slots() -> None:
    filled = slots(drawing()).fill({"prompt": "moon", "negative": "sun", "seed": 7, "steps": 9, "width": 64})
    assert filled["6"]["inputs"]["text"] == "moon"
    assert filled["7"]["inputs"]["text"] == "sun"
    assert (filled["3"]["inputs"]["seed"], filled["3"]["inputs"]["steps"]) == (7, 9)
    assert (filled["5"]["inputs"]["width"], filled["5"]["inputs"]["height"]) == (64, 512)


def test_what_has_no_value_stays() -> None:
    assert slots(drawing()).fill({}) == drawing()


def test_a_title_names_the_input() -> None:
    nodes = drawing(n3=node("KSampler", "artlock:strength=cfg", cfg=1.0, steps=4))
    assert slots(nodes).fill({"strength": 5.5})["3"]["inputs"]["cfg"] == 5.5


@pytest.mark.parametrize("field", ["seed", "noise_seed", "value", "anything"])
def test_the_input_that_is_meant(field: str) -> None:
    nodes = drawing(n3=node("RandomNoise", "artlock:seed", **{field: 1, "model": ["4", 0]}))
    assert slots(nodes).fill({"seed": 5})["3"]["inputs"][field] == 5


def test_one_slot_in_several_nodes() -> None:
    nodes = drawing(n10=node("KSampler", "artlock:seed", seed=1))
    filled = slots(nodes).fill({"seed": 5})
    assert filled["3"]["inputs"]["seed"] == filled["10"]["inputs"]["seed"] == 5


@pytest.mark.parametrize("place", ["7.text", "7.inputs.text", ["7.text"]])
def test_a_given_slot_replaces_the_title(place: Any) -> None:
    filled = slots(drawing(), prompt=place).fill({"prompt": "moon"})
    assert (filled["6"]["inputs"]["text"], filled["7"]["inputs"]["text"]) == ("a cat", "moon")


def test_a_node_inside_of_a_subgraph() -> None:
    nodes = drawing(**{"n57:6": node("CLIPTextEncode", text="a")})
    assert slots(nodes, prompt="57:6.text").fill({"prompt": "moon"})["57:6"]["inputs"]["text"] == "moon"


def test_a_given_size() -> None:
    nodes = drawing(n5=node("EmptyLatentImage", width=1, height=1))
    filled = slots(nodes, size="5").fill({"width": 8, "height": 9})
    assert filled["5"]["inputs"] == {"width": 8, "height": 9}


def test_the_workflow_is_not_changed() -> None:
    nodes = drawing()
    slots(nodes).fill({"seed": 5})
    assert nodes == drawing()


REFUSALS: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any], str, str]] = [
    (
        {"n6": node("CLIPTextEncode", text="a")},
        {"prompt": "moon"},
        {},
        "the asset has a `prompt`, but the workflow has no slot `prompt`",
        'give the node that takes it the title `artlock:prompt`, or set `slots = { prompt = "NODE.INPUT" }`',
    ),
    (
        {"n5": node("EmptyLatentImage", width=1, height=1)},
        {"width": 8, "height": 8},
        {},
        "the asset has a `size`, but the workflow has no slot `width`",
        'give the node that takes it the title `artlock:size`, or set `slots = { size = "NODE" }`',
    ),
    (
        {},
        {"image": "a.png"},
        {},
        "the asset has an `image`, but the workflow has no slot `image`",
        'give the node that takes it the title `artlock:image`, or set `slots = { image = "NODE.INPUT" }`',
    ),
    ({}, {"stepz": 1}, {}, "`values`: slot `stepz` is unknown", "did you mean `steps`?"),
    (
        {"n3": node("KSampler", "artlock:seed", seed=1)},
        {"steps": 1},
        {},
        "`values.steps` has no slot in the workflow",
        'give the node that takes it the title `artlock:steps`, or set `slots = { steps = "NODE.INPUT" }`',
    ),
    (
        {"n6": node("CLIPTextEncode", "artlock:prompt", text=["12", 0]), "n12": node("Join", a="x")},
        {},
        {},
        (
            "the slot `prompt` is the input `text` of node `6` (`CLIPTextEncode`), "
            "which is fed by node `12` (`Join`)"
        ),
        "put the slot on node `12`, or remove that link",
    ),
    (
        {"n6": node("Join", "artlock:prompt", a="x", b="y", c=["4", 1])},
        {},
        {},
        "which input of node `6` (`Join`) the slot `prompt` means can't be told: it has `a`, `b`",
        "name it in the title: `artlock:prompt=INPUT`",
    ),
    (
        {"n6": node("Join", "artlock:prompt", c=["4", 1])},
        {},
        {},
        "which input of node `6` (`Join`) the slot `prompt` means can't be told: all it has are links",
        "name it in the title: `artlock:prompt=INPUT`",
    ),
    (
        {"n6": node("CLIPTextEncode", "artlock:prompt=txt", text="x")},
        {},
        {},
        "the slot `prompt`: on node `6` (`CLIPTextEncode`), input `txt` is unknown",
        "did you mean `text`?",
    ),
    ({}, {}, {"prompt": "66.text"}, "`slots.prompt`: node `66` is unknown", "did you mean `6`?"),
    (
        {},
        {},
        {"prompt": "text"},
        "`slots.prompt` is `text`, not a node and its input",
        'write `prompt = "6.text"`',
    ),
    ({}, {}, {"prompt": 6}, "`slots.prompt` is `6`, not a string", 'write `prompt = "6.text"`'),
]


@pytest.mark.parametrize(("changed", "values", "given_slots", "message", "hint"), REFUSALS)
def test_what_can_not_work_names_the_node(
    changed: dict[str, Any], values: dict[str, Any], given_slots: dict[str, Any], message: str, hint: str
) -> None:
    assert refusal(drawing(**changed), values, **given_slots) == (message, hint)


def test_the_output() -> None:
    assert slots(drawing()).output() == "9"
    both = drawing(n10=node("SaveImage", images=["8", 0]))
    assert slots(both, output="10").output() == "10"
    named = drawing(n10=node("PreviewImage", "artlock:output", images=["8", 0]))
    assert slots(named).output() == "10"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"n10": node("SaveImage")}, "the workflow has several `SaveImage` nodes: `9`, `10`"),
        ({"n9": None}, "the workflow has no `SaveImage` node"),
        (
            {"n9": node("SaveImage", "artlock:output"), "n10": node("SaveImage", "artlock:output")},
            "several nodes have the slot `output`: `9`, `10`",
        ),
    ],
)
def test_an_output_that_can_not_be_told(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(EngineError) as caught:
        slots(drawing(**changed)).output()
    assert caught.value.message == message
    assert (
        caught.value.hint == 'give one node the title `artlock:output`, or set `slots = { output = "NODE" }`'
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "workflow",
            "the workflow is not JSON: Expecting value: line 1 column 1 (char 0)",
        ),
        ("[]", "the workflow holds no nodes"),
        ("{}", "the workflow holds no nodes"),
        (
            '{"nodes": [], "links": []}',
            "the workflow is in the format of ComfyUI's editor, which its server does not run",
        ),
        ('{"3": {"inputs": {}}}', "node `3` of the workflow has no `class_type` or no `inputs`"),
        ('{"3": 4}', "node `3` of the workflow has no `class_type` or no `inputs`"),
    ],
)
def test_a_file_that_is_no_workflow(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "workflow.json"
    path.write_text(text)
    with pytest.raises(EngineError) as caught:
        read(str(path))
    assert caught.value.message == message
    assert caught.value.hint.endswith("`Workflow`, `Export (API)`")


def test_a_workflow_is_read(tmp_path: Path) -> None:
    path = tmp_path / "workflow.json"
    path.write_text(json.dumps(drawing()))
    assert read(str(path)) == drawing()


NODES = st.sampled_from(["1", "2", "3", "sub:1"])
NUMBERS = st.one_of(st.integers(-2, 40), st.floats(-1, 40), st.none(), st.just("7"))
EVENTS = st.one_of(
    st.tuples(st.just("executing"), st.fixed_dictionaries({"node": st.one_of(NODES, st.none())})),
    st.tuples(st.just("executed"), st.fixed_dictionaries({"node": NODES})),
    st.tuples(st.just("execution_cached"), st.fixed_dictionaries({"nodes": st.lists(NODES)})),
    st.tuples(st.just("progress"), st.fixed_dictionaries({"node": NODES, "value": NUMBERS, "max": NUMBERS})),
    st.tuples(
        st.just("progress_state"),
        st.fixed_dictionaries(
            {
                "nodes": st.dictionaries(
                    NODES,
                    st.one_of(
                        st.none(),
                        st.fixed_dictionaries(
                            {
                                "value": NUMBERS,
                                "max": NUMBERS,
                                "state": st.sampled_from(["running", "finished"]),
                            }
                        ),
                    ),
                )
            }
        ),
    ),
)


@given(st.lists(EVENTS, max_size=30))
def test_a_step_is_always_further(events: list[tuple[str, dict[str, Any]]]) -> None:
    steps = Steps(["1", "2", "3"])
    last = 0
    for kind, data in events:
        if (found := steps.hear(kind, data)) is not None:
            step, of = found
            assert last < step <= of
            last = step
