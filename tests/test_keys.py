"""Keys that a command prints: asked for once, kept to themselves, and clear about what is wrong."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import pytest
from zookeeper import engine

from buildsys.make.failure import EngineFailed
from buildsys.make.keys import Keys
from buildsys.manifest.model import Card
from engines.protocol import ErrorKind

CARD = engine("good", keys=["OWN_KEY"]).card


def keys(command: str, seconds: float = 20, **environ: str) -> Keys:
    return Keys({"PATH": "/usr/bin:/bin", "OWN_KEY_COMMAND": command, **environ}, seconds)


def said(asked: Keys, card: Card = CARD) -> str:
    with pytest.raises(EngineFailed) as caught:
        asked.environ(card)
    assert caught.value.kind is ErrorKind.AUTH
    assert caught.value.hint == (
        "run the command in `OWN_KEY_COMMAND` yourself, and correct it until it prints the key"
    )
    return caught.value.message


def test_a_command_prints_the_key_on_its_first_line_and_runs_once(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    asked = keys(f"""sh -c 'echo x >> {runs}; echo " own-5f2c "; echo notes: mine'""")
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(asked.environ(CARD)["OWN_KEY"])) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert found == ["own-5f2c"] * 4
    assert runs.read_text() == "x\n"


def test_a_key_is_told_to_who_conceals_it_before_an_engine_has_it() -> None:
    told: list[str] = []
    asked = Keys({"PATH": "/usr/bin:/bin", "OWN_KEY_COMMAND": "echo own-5f2c"}, printed=told.append)
    assert told == []
    for _ in range(2):
        asked.environ(CARD)
    assert told == ["own-5f2c"]


def test_a_key_that_is_set_needs_no_command() -> None:
    assert keys("false", OWN_KEY="mine").environ(CARD)["OWN_KEY"] == "mine"


def test_a_key_that_is_set_to_nothing_is_not_set() -> None:
    assert keys("echo own-5f2c", OWN_KEY=" ").environ(CARD)["OWN_KEY"] == "own-5f2c"


def test_only_an_engine_with_the_key_has_the_command_run() -> None:
    assert "OWN_KEY" not in keys("false").environ(engine("good").card)


@pytest.mark.parametrize(
    ("command", "fact"),
    [
        (
            "sh -c 'echo own-5f2c; echo a >&2; echo own-5f2c is locked >&2; exit 3'",
            "failed with exit code 3: … is locked",
        ),
        ("false", "failed with exit code 1"),
        ("true", "printed no key"),
        ("/no/such/program own-5f2c", "can't be run: No such file or directory"),
        ("echo 'own-5f2c", "can't be read: no closing quotation"),
    ],
)
def test_a_command_that_fails(command: str, fact: str) -> None:
    asked = keys(command)
    assert said(asked) == f"the command in `OWN_KEY_COMMAND` {fact}"
    assert said(asked) == f"the command in `OWN_KEY_COMMAND` {fact}"


def test_a_command_that_never_ends() -> None:
    asked = keys(f"{sys.executable} -c 'import time; time.sleep(60)'", seconds=0.2)
    assert said(asked) == "the command in `OWN_KEY_COMMAND` printed no key within 0.2 s"


def test_a_stop_ends_a_command(tmp_path: Path) -> None:
    started = tmp_path / "started"
    asked = keys(f'{sys.executable} -c \'import time; open("{started}", "w"); time.sleep(60)\'')

    def stop() -> None:
        until = time.monotonic() + 20
        while not started.exists() and time.monotonic() < until:
            time.sleep(0.01)
        asked.end()

    thread = threading.Thread(target=stop)
    thread.start()
    assert said(asked) == "the command in `OWN_KEY_COMMAND` failed with exit code -9"
    thread.join(20)
    after = keys("echo own-5f2c")
    after.end()
    assert said(after) == "the command in `OWN_KEY_COMMAND` was not run: the build was stopped"
