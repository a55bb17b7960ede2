"""A key that an engine tells, in whatever field, reaches neither the lock nor the store nor the terminal."""

from __future__ import annotations

from pathlib import Path

import pytest
from game import Game

from buildsys.make.surroundings import concealed
from buildsys.manifest.model import Card
from engines.protocol import Credit, Determinism, Done, Hello

SECRET = "sk-0123456789-very-secret"  # noqa: S105 - no secret
CARD = Card(name="noise", version="1.0.0", summary="Noise.", determinism=Determinism.BITWISE, keys=("MYKEY",))

SHOUT = """Done(
                id=request.id, output=request.output, sent={KEY: [KEY, {"deep": f"<{KEY}>"}]},
                notes=(f"made with {KEY}",), facts={"key": KEY},
                credits=(Credit(title=KEY, author=KEY, licence="MIT", source=KEY),),
            )"""


def test_every_text_of_an_answer_is_cleaned() -> None:
    done = Done(
        id="7",
        output=f"{SECRET}.png",
        sent={SECRET: [SECRET, {"a": f"<{SECRET}>"}, 3, None]},
        notes=(f"made with {SECRET}",),
        facts={"key": SECRET, "width": 8},
        credits=(Credit(title=SECRET, author="Ada", licence="MIT", source=SECRET),),
        cost=0.5,
    )
    assert concealed(done, CARD, {"MYKEY": SECRET}) == Done(
        id="7",
        output=f"{SECRET}.png",
        sent={"$MYKEY": ["$MYKEY", {"a": "<$MYKEY>"}, 3, None]},
        notes=("made with $MYKEY",),
        facts={"key": "$MYKEY", "width": 8},
        credits=(Credit(title="$MYKEY", author="Ada", licence="MIT", source="$MYKEY"),),
        cost=0.5,
    )


def test_what_an_engine_says_of_itself_is_cleaned() -> None:
    hello = Hello(
        protocol=1,
        adapter="noise",
        version="1.0.0",
        determinism=Determinism.BITWISE,
        environment={SECRET: SECRET},
        confined=(SECRET,),
    )
    found = concealed(hello, CARD, {"MYKEY": SECRET})
    assert (found.environment, found.confined) == ({"$MYKEY": "$MYKEY"}, ("$MYKEY",))


def test_without_a_key_nothing_changes() -> None:
    done = Done(id="7", output="7.png", notes=("MYKEY",))
    assert concealed(done, CARD, {}) == done


@pytest.mark.parametrize("word", ["build", "status"])
def test_a_shouted_key_is_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setenv("MYKEY", SECRET)
    game = Game(tmp_path / "game", tmp_path / "cache")
    card = game.folder / "tools" / "noise.toml"
    card.write_text(card.read_text().replace("parallel = true", 'parallel = true\nkeys = ["MYKEY"]'))
    adapter = game.folder / "tools" / "noise.py"
    text = adapter.read_text().replace(
        "import hashlib", 'import hashlib\nimport os\nKEY = os.environ["MYKEY"]'
    )
    text = text.replace("import Done,", "import Credit, Done,")
    text = text.replace('{"noise": "1"}', '{"noise": KEY}')
    adapter.write_text(text.replace("Done(id=request.id, output=request.output)", SHOUT))
    game.write('[assets.hero]\nrole = "sprite"\nseed = 1\nsize = [8, 8]\n')
    told = [game.run("build")]
    told += [game.run(word)]
    assert "$MYKEY" in game.lock().decode()
    for done in told:
        assert SECRET not in done.stdout + done.stderr
    for folder in (game.folder, game.cache):
        for file in folder.rglob("*"):
            assert not file.is_file() or SECRET.encode() not in file.read_bytes(), file
