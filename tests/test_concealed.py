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


def whisper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """Have `MYKEY` be the secret, in one of the ways in which a person gives a key."""
    match how:
        case "variable":
            monkeypatch.setenv("MYKEY", SECRET)
        case "file":
            monkeypatch.setenv("MYKEY", f"{SECRET}\n")
        case _:
            # Outside of all that is searched; and the notes below a key are nobody's business either.
            (tmp_path / "vault").write_text(f"{SECRET}\nnotes\n")
            monkeypatch.setenv("MYKEY_COMMAND", f"cat {tmp_path / 'vault'}")


def teach(game: Game, shout: str) -> None:
    """Give the engine a key, which it tells whoever asks, and what it was asked to `shout`."""
    card = game.folder / "tools" / "noise.toml"
    card.write_text(card.read_text().replace("parallel = true", 'parallel = true\nkeys = ["MYKEY"]'))
    adapter = game.folder / "tools" / "noise.py"
    text = adapter.read_text().replace(
        "import hashlib",
        "import hashlib\nimport os\nimport sys\n"
        'KEY = os.environ["MYKEY"].strip()\nprint(KEY, KEY, file=sys.stderr)',
    )
    text = text.replace("import Done,", "import Credit, Done,")
    text = text.replace('{"noise": "1"}', '{"noise": KEY}')
    text = text.replace('request.parameters["fail"]', 'f"no picture for {KEY}"')
    adapter.write_text(text.replace("Done(id=request.id, output=request.output)", shout))


def assert_nowhere(game: Game, *texts: str) -> None:
    assert not [text for text in texts if SECRET in text]
    for folder in (game.folder, game.cache):
        for file in folder.rglob("*"):
            assert not file.is_file() or SECRET.encode() not in file.read_bytes(), file


@pytest.mark.parametrize("how", ["variable", "file", "command"])
@pytest.mark.parametrize("word", ["build", "status"])
def test_a_shouted_key_is_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: str, how: str
) -> None:
    whisper(tmp_path, monkeypatch, how)
    game = Game(tmp_path / "game", tmp_path / "cache")
    teach(game, SHOUT)
    game.write('[assets.hero]\nrole = "sprite"\nseed = 1\nsize = [8, 8]\n')
    told = [game.run("build")]
    told += [game.run(word)]
    assert "$MYKEY" in game.lock().decode()
    assert "$MYKEY $MYKEY\n" in (game.folder / ".artlock" / "logs" / "noise.log").read_text()
    assert_nowhere(game, *(done.stdout + done.stderr for done in told))


@pytest.mark.parametrize("how", ["variable", "file", "command"])
def test_a_key_in_a_failure_is_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    whisper(tmp_path, monkeypatch, how)
    game = Game(tmp_path / "game", tmp_path / "cache")
    teach(game, SHOUT)
    asset = '[assets.hero]\nrole = "sprite"\nseed = 1\nsize = [8, 8]\nparameters = { fail = "x" }\n'
    game.write(asset)
    failed = game.run("build", code=1)
    assert "no picture for $MYKEY" in failed.stdout + failed.stderr
    again = game.run("build", "--json", code=1)
    report = game.run("report", "--json")
    assert "no picture for $MYKEY" in report.stdout
    assert_nowhere(game, *(done.stdout + done.stderr for done in (failed, again, report)))


@pytest.mark.parametrize("how", ["variable", "file", "command"])
def test_the_journal_keeps_no_key_that_another_engine_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """An engine that was given no key, and found one all the same, in a file of its own, say."""
    whisper(tmp_path, monkeypatch, how)
    game = Game(tmp_path / "game", tmp_path / "cache")
    for suffix in ("toml", "py"):
        text = (game.folder / "tools" / f"noise.{suffix}").read_text()
        spoken = text.replace('request.parameters["fail"]', f'"no picture for {SECRET}"')
        (game.folder / "tools" / f"gossip.{suffix}").write_text(spoken)
    with (game.folder / "tools" / "gossip.toml").open("a") as card:
        card.write('[parameters.after]\ntype = "file"\n')
    teach(game, SHOUT)
    game.write(
        """
        [engines.gossip]
        adapter = "tools/gossip.py"

        [assets.first]
        role = "sprite"
        seed = 1
        size = [8, 8]

        [assets.second]
        engine = "gossip"
        seed = 1
        size = [8, 8]
        # By the time that it speaks, the other one has its key.
        parameters = { fail = "x", after = { asset = "first" } }
        """
    )
    game.run("build", code=1)
    files = [file for file in (game.folder / ".artlock").glob("journal*") if file.is_file()]
    rows = b"".join(file.read_bytes() for file in files)
    assert b"no picture for [key]" in rows
    assert SECRET.encode() not in rows
