"""The messages: golden on the page, on the wire, and refused where they are wrong."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines import protocol
from engines.protocol import (
    Credit,
    Determinism,
    Done,
    EngineError,
    ErrorKind,
    Failure,
    Hello,
    Message,
    Open,
    Progress,
    ProtocolError,
    Render,
    Request,
    decode,
    encode,
)

HERE = Path(__file__).parent
GOLDEN = HERE / "golden" / "protocol"
PAGE = HERE.parent / "engines" / "PROTOCOL.md"

MESSAGES: dict[str, Message] = {
    "open": Open(
        protocol=1,
        adapter="diffusion",
        engine="sd35-medium",
        model="stabilityai/stable-diffusion-3.5-medium",
        revision="b940f670f0eda2d07fbb75229e779da1ad11eb80",
        staging="/home/ada/keep/.artlock/run-x4k2/worker-1/staging",
        settings={"device": "cuda:0", "dtype": "bfloat16"},
        memory=0.9,
        ahead=False,
        parameters={"portable": True},
    ),
    "hello": Hello(
        protocol=1,
        adapter="diffusion",
        version="1.2.0",
        determinism=Determinism.ENVIRONMENT,
        environment={"torch": "2.13.0", "device": "cuda:0", "dtype": "bfloat16"},
        batch=4,
        confined=("files", "network"),
    ),
    "render": Render(
        requests=(
            Request(
                id="7",
                asset="hero-portrait",
                output="7.png",
                prompt="moon knight, 3/4 view",
                negative="blurry",
                text="",
                seed=12345,
                size=(512, 512),
                parameters={"steps": 40, "guidance": 4.5},
                inputs={"image": "/home/ada/keep/.artlock/run-x4k2/inputs/sketch.png"},
            ),
        )
    ),
    "progress": Progress(id="7", step=12, steps=40),
    "done": Done(
        id="7",
        output="7.png",
        sent={"prompt": "A moon knight in three-quarter view", "seed": 12345},
        credits=(
            Credit(
                title="Crested helmet",
                author="Lorc",
                licence="CC-BY-3.0",
                source="https://game-icons.net",
            ),
        ),
        notes=("the prompt was cut at 77 tokens",),
        facts={"opaque": 0.62},
        host_bytes=4831838208,
        device_bytes=6442450944,
        cost=0.04,
        companions={"-1.png": "7-1.png", ".json": "7.json"},
    ),
    "error": Failure(
        id="7",
        kind=ErrorKind.RATE_LIMITED,
        message="the provider asks to wait",
        hint="build again in 30 seconds",
        retry_after=30.0,
        host_bytes=4831838208,
    ),
}


def pretty(message: Message) -> str:
    return json.dumps(json.loads(encode(message)), ensure_ascii=False, indent=2) + "\n"


@pytest.mark.parametrize("name", MESSAGES)
def test_each_message_is_its_golden_file_and_its_example_on_the_page(name: str) -> None:
    golden = (GOLDEN / f"{name}.json").read_text(encoding="utf-8")
    how = f"to accept it: write the right-hand side to tests/golden/protocol/{name}.json and to the page"
    assert golden == pretty(MESSAGES[name]), how
    examples = re.findall(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert golden in examples, how


def test_the_page_and_the_golden_folder_have_no_other_messages() -> None:
    examples = re.findall(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert [json.loads(example)["type"] for example in examples] == list(MESSAGES)
    assert sorted(path.stem for path in GOLDEN.iterdir()) == sorted(MESSAGES)


@pytest.mark.parametrize("name", MESSAGES)
def test_what_was_encoded_is_decoded(name: str) -> None:
    line = encode(MESSAGES[name])
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert decode(line) == MESSAGES[name]


@pytest.mark.parametrize("name", MESSAGES)
def test_an_example_shows_every_field(name: str) -> None:
    shown = set(json.loads(encode(MESSAGES[name]))) - {"type"}
    assert shown == {item.name for item in dataclasses.fields(MESSAGES[name])}


def test_every_field_has_a_check() -> None:
    kinds = [type(message) for message in MESSAGES.values()]
    annotations = {str(item.type) for kind in [*kinds, Request, Credit] for item in dataclasses.fields(kind)}
    assert annotations <= set(protocol._CHECKS)  # noqa: SLF001 - the promise of its docstring


TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=8,
)


@settings(max_examples=50, deadline=None)  # a busy machine is no failure
@given(
    st.builds(
        Request,
        id=TEXTS,
        asset=TEXTS,
        output=TEXTS,
        prompt=TEXTS,
        seed=st.none() | st.integers(),
        size=st.none() | st.tuples(st.integers(), st.integers()),
        parameters=st.dictionaries(TEXTS, VALUES),
        inputs=st.dictionaries(TEXTS, TEXTS),
    )
)
def test_any_request_survives_the_wire(request_: Request) -> None:
    assert decode(encode(Render(requests=(request_,)))) == Render(requests=(request_,))


@settings(deadline=None)
@given(st.binary() | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_a_message_or_a_protocol_error(line: bytes) -> None:
    try:
        message = decode(line)
    except ProtocolError:
        return
    assert decode(encode(message)) == message


def changed(name: str, **values: Any) -> bytes:
    return json.dumps({**json.loads(encode(MESSAGES[name])), **values}).encode()


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (b"Loading: 100%\n", "not JSON: b'Loading: 100%\\n'"),
        (b"", "not JSON: b''"),
        (b'{"type":"prog', 'not JSON: b\'{"type":"prog\''),
        (b"\xff\xfe{}", "not UTF-8: b'\\xff\\xfe{}'"),
        ('{"type":"hello"}'.encode("utf-16"), "not UTF-8: " + repr('{"type":"hello"}'.encode("utf-16"))),
        (b"[1]", "not an object: b'[1]'"),
        (b"[" * 100_000, "not JSON: " + repr(b"[" * 80)),
        (b'{"type":["done"]}', "unknown message type \"['done']\""),
        (b'{"id":"7"}', "unknown message type 'None'"),
        (changed("progress", step=True), "`progress` has a bad `step`: 'True'"),
        (changed("progress", step=1.5), "`progress` has a bad `step`: '1.5'"),
        (changed("progress", percent=3), "`progress` has an unknown field `percent`"),
        (b'{"type":"progress","id":"7","step":1}', "`progress` lacks `steps`"),
        (b'{"type":"progress","id":"7","step":1,"steps":NaN}', None),
        (changed("done", facts={"opaque": float("nan")}), None),
        (changed("done", notes="one"), "`done` has a bad `notes`: 'one'"),
        (changed("done", credits=[{"title": "x"}]), "`Credit` lacks `author`"),
        (b'{"type":"done","id":"\\ud800","output":"x"}', None),
        (changed("error", kind="sad"), "`error` has a bad `kind`: 'sad'"),
        (changed("error", retry_after=-1), "`error` has a bad `retry_after`: '-1'"),
        (changed("error", retry_after=86_401), "`error` has a bad `retry_after`: '86401'"),
        (changed("error", retry_after=10**400), f"`error` has a bad `retry_after`: '1{'0' * 79}'"),
        (changed("done", cost=10**400), f"`done` has a bad `cost`: '1{'0' * 79}'"),
        (changed("done", cost=1_000_001), "`done` has a bad `cost`: '1000001'"),
        (changed("done", cost=1.7e308), "`done` has a bad `cost`: '1.7e+308'"),
        (changed("done", host_bytes=-1), "`done` has a bad `host_bytes`: '-1'"),
        (changed("done", device_bytes=2**60 + 1), "`done` has a bad `device_bytes`: '1152921504606846977'"),
        (changed("error", host_bytes=-(10**40)), f"`error` has a bad `host_bytes`: '-1{'0' * 40}'"),
        (changed("progress", step=10**400), f"`progress` has a bad `step`: '1{'0' * 79}'"),
        (changed("open", memory=10**400), f"`open` has a bad `memory`: '1{'0' * 79}'"),
        (changed("hello", determinism="yes"), "`hello` has a bad `determinism`: 'yes'"),
        (changed("hello", environment={"torch": 2}), "`hello` has a bad `environment`: \"{'torch': 2}\""),
    ],
)
def test_a_bad_line_is_refused_with_what_is_wrong(line: bytes, text: str | None) -> None:
    with pytest.raises(ProtocolError) as caught:
        decode(line)
    assert str(caught.value) == (text or f"not JSON: {line[:80]!r}")


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("error", {"retry_after": 86_400.0, "host_bytes": 0}),
        ("done", {"cost": 1e6, "host_bytes": 2**60, "device_bytes": 2**60}),
        ("done", {"cost": 0.0, "host_bytes": 0, "device_bytes": 0}),
        ("progress", {"step": 2**53}),
    ],
)
def test_a_number_at_its_bound_is_taken(name: str, values: dict[str, Any]) -> None:
    message = decode(changed(name, **values))
    assert {key: getattr(message, key) for key in values} == values


def test_a_longer_wait_is_said_as_the_longest() -> None:
    wait = EngineError(ErrorKind.RATE_LIMITED, "next year", retry_after=3e7)
    assert protocol.failure(wait, "7").retry_after == protocol.LONGEST_WAIT


def test_a_message_that_is_too_long_is_not_sent() -> None:
    with pytest.raises(ProtocolError, match=r"^a `done` message of \d+ bytes is longer than 4194304$"):
        encode(Done(id="7", output="7.png", notes=("x" * protocol.MAX_LINE,)))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"bytes", "a `done` message holds what JSON can't carry: a `bytes`"),
        (
            float("inf"),
            "a `done` message holds what JSON can't carry: Out of range float values are not JSON compliant",
        ),
    ],
)
def test_a_value_that_json_lacks_is_not_sent(value: object, text: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        encode(Done(id="7", output="7.png", facts={"value": value}))
    assert str(caught.value).startswith(text)


def test_any_mapping_can_be_sent() -> None:
    frozen = Done(id="7", output="7.png", facts=MappingProxyType({"width": 3}))
    assert decode(encode(frozen)) == Done(id="7", output="7.png", facts={"width": 3})
