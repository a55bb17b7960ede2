"""`artlock log NAME`: every version of an asset through git's history."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from history_kit import Repository, digest_of_picture, record

from buildsys.cli import main
from buildsys.digest import Digest
from buildsys.errors import ArtlockError
from buildsys.history.commits import Wanted
from buildsys.history.model import Gap, History, Version
from buildsys.history.run import history, place
from buildsys.history.words import bar, fewer, value_told
from buildsys.lock.model import Lock
from buildsys.lock.write import dump
from buildsys.manifest.model import FinishStep
from buildsys.review.model import Cause, Field, Kind, Word

BLUE, RED = "00ff00ff00ff00ff", "00ff00ff00ff0000"


@pytest.fixture
def game(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "game")


def told(game: Repository, name: str = "hero", **words: Any) -> History:
    most, prompts = words.pop("most", None), words.pop("prompts", False)
    found = place(game.folder, "", words.get("revision", "HEAD"))
    return history(found, name, Wanted(**words), prompts=prompts, most=most)


def lines(found: History) -> list[tuple[str, str, str]]:
    """Subject, kind and name of each."""
    return [(item.commit.subject, item.kind.value, item.name) for item in found.versions]


def run(game: Repository, *words: str, code: int = 0) -> None:
    assert main(["log", "-C", str(game.folder), *words]) == code


def test_versions_newest_first_with_what_changed(game: Repository) -> None:
    other = record("other", drawn=9)
    step = FinishStep(name="trim", version=1, parameters={"margin": 1})
    game.commit(record("hero", drawn=1), other, subject="A knight")
    game.commit(record("hero", drawn=1), record("other", drawn=8), subject="Not about it")
    game.commit(
        record("hero", drawn=2, prompt="a cold knight", seed=4, phash=RED), other, subject="Cold", author="Bo"
    )
    game.commit(
        record("hero", drawn=3, prompt="a cold knight", seed=4, phash=RED, finish=(step,)),
        other,
        subject="Trim",
    )
    found = told(game)
    assert lines(found) == [
        ("Trim", "changed", "hero"),
        ("Cold", "changed", "hero"),
        ("A knight", "added", "hero"),
    ]
    trim, cold, first = found.versions
    assert (first.before, first.fields, first.distance) == (None, (), None)
    assert cold.commit.author == "Bo"
    assert cold.commit.mail == "bo@example.org"
    assert cold.commit.date == "2026-01-04T12:00:00+01:00"
    assert cold.distance == 8
    words = (Word("a ", "same"), Word("cold ", "new"), Word("knight", "same"))
    assert cold.fields == (
        Field(name="prompt", cause=Cause.RECIPE, before="a knight", after="a cold knight", words=words),
        Field(name="seed", cause=Cause.RECIPE, before=3, after=4),
    )
    assert trim.distance == 0
    assert [field.name for field in trim.fields] == ["finish"]
    assert found.ends == ""


def test_a_rename_is_followed_and_another_asset_of_that_name_is_not(game: Repository) -> None:
    game.commit(record("hero", drawn=7, prompt="a villain"), subject="Someone else")
    game.commit(record("knight", drawn=1), subject="A knight")
    game.commit(record("knight", drawn=2, seed=4), subject="Another seed")
    game.commit(record("hero", drawn=2, seed=4), subject="His name")
    found = told(game)
    assert lines(found) == [
        ("His name", "renamed", "hero"),
        ("Another seed", "changed", "knight"),
        ("A knight", "added", "knight"),
    ]
    assert found.versions[0].before is not None
    assert found.versions[0].before.name == "knight"
    by_old_name = told(game, "knight")
    assert lines(by_old_name)[0] == ("His name", "removed", "knight")
    assert by_old_name.versions[0].became == "hero"
    assert by_old_name.versions[1:] == found.versions[1:]


def test_a_name_taken_back_and_forth(game: Repository) -> None:
    for name in ("hero", "knight", "hero"):
        game.commit(record(name, drawn=1), subject=f"Now {name}")
    assert lines(told(game)) == [
        ("Now hero", "renamed", "hero"),
        ("Now knight", "renamed", "knight"),
        ("Now hero", "added", "hero"),
    ]


def test_a_copy_is_no_rename(game: Repository) -> None:
    game.commit(record("knight", drawn=1), subject="One")
    game.commit(record("knight", drawn=1), record("hero", drawn=1), subject="Two")
    assert lines(told(game)) == [("Two", "added", "hero")]


def test_a_removed_asset_by_the_name_that_it_had(game: Repository) -> None:
    game.commit(record("hero", drawn=1), record("other"), subject="There")
    game.commit(record("other"), subject="Gone")
    game.commit(record("hero", drawn=2), record("other"), subject="Again")
    game.commit(record("other"), subject="Gone for good")
    assert lines(told(game)) == [
        ("Gone for good", "removed", "hero"),
        ("Again", "added", "hero"),
        ("Gone", "removed", "hero"),
        ("There", "added", "hero"),
    ]


def test_the_lock_itself_was_removed(game: Repository) -> None:
    game.commit(record("hero", drawn=1), subject="There")
    (game.folder / "assets.lock").unlink()
    game.save("No lock")
    game.commit(record("hero", drawn=1), subject="Back")
    assert lines(told(game)) == [
        ("Back", "added", "hero"),
        ("No lock", "removed", "hero"),
        ("There", "added", "hero"),
    ]


def test_what_is_only_encoded_or_noted_otherwise(game: Repository) -> None:
    first = record("hero", drawn=1)
    other = record("hero", drawn=1, prompt="a knight, please")
    game.commit(first, subject="First")
    game.commit(other, subject="Said otherwise, drawn alike")
    encoded = other.__class__(**{**fields_of(other), "picture": with_file(other.picture)})
    game.commit(encoded, subject="Smaller file")
    assert [kind for _, kind, _ in lines(told(game))] == ["encoding", "record", "added"]


def fields_of(item: Any) -> dict[str, Any]:
    return {name: getattr(item, name) for name in item.__struct_fields__}


def with_file(picture: Any) -> Any:
    return picture.__class__(**{**fields_of(picture), "file": Digest("e" * 64)})


def test_both_sides_of_a_merge_and_the_main_line_alone(game: Repository) -> None:
    other = record("other", drawn=9)
    game.commit(record("hero", drawn=1), other, subject="Base")
    game.git("checkout", "-q", "-b", "side")
    game.commit(record("hero", drawn=2, seed=4), other, subject="On the side")
    game.git("checkout", "-q", "main")
    game.commit(record("hero", drawn=1), record("other", drawn=8), subject="Elsewhere")
    game.git("merge", "-q", "side", "--message=Merge", environ=game.who())
    assert game.git("show", "--no-patch", "--format=%P").count(" ") == 1
    assert lines(told(game)) == [("On the side", "changed", "hero"), ("Base", "added", "hero")]
    main_line = told(game, first_parent=True)
    assert lines(main_line) == [("Merge", "changed", "hero"), ("Base", "added", "hero")]
    assert [field.name for field in main_line.versions[0].fields] == ["seed"]


def test_what_a_merge_left_out_is_history_too(game: Repository) -> None:
    game.commit(record("hero", drawn=1), subject="Base")
    game.git("checkout", "-q", "-b", "side")
    game.commit(record("hero", drawn=2, seed=4), subject="Turned down")
    game.git("checkout", "-q", "main")
    game.commit(record("hero", drawn=3, seed=5), subject="Taken")
    game.git("merge", "-q", "-s", "ours", "side", "--message=Ours", environ=game.who())
    assert {subject for subject, _, _ in lines(told(game))} == {"Base", "Turned down", "Taken"}
    assert lines(told(game, first_parent=True)) == [("Taken", "changed", "hero"), ("Base", "added", "hero")]


def test_a_merge_that_made_a_picture_of_its_own(game: Repository) -> None:
    game.commit(record("hero", drawn=1), subject="Base")
    game.git("checkout", "-q", "-b", "side")
    game.commit(record("hero", drawn=2, seed=4), subject="Side")
    game.git("checkout", "-q", "main")
    game.commit(record("hero", drawn=3, seed=5), subject="Main")
    game.git("merge", "-q", "--no-commit", "-s", "ours", "side")
    game.commit(record("hero", drawn=4, seed=6), subject="Both")
    found = told(game)
    assert [subject for subject, _, _ in lines(found)] == ["Both", "Main", "Side", "Base"]
    assert found.versions[0].before is not None
    assert found.versions[0].before.parts.seed == 5


def test_the_version_that_is_current_is_not_always_the_newest(
    game: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    game.commit(record("hero", drawn=1), subject="Base")
    game.git("checkout", "-q", "-b", "side")
    game.commit(record("hero", drawn=2, seed=4), subject="Crown")
    game.git("checkout", "-q", "main")
    game.commit(record("hero", drawn=3, seed=5), subject="Viking")
    game.git("checkout", "-q", "side")
    game.git("merge", "-q", "-s", "ours", "main", "--message=The crown it is", environ=game.who())

    def current(**words: Any) -> list[tuple[str, bool]]:
        return [(version.commit.subject, version.current) for version in told(game, **words).versions]

    assert current() == [("Viking", False), ("Crown", True), ("Base", False)]
    assert current(everywhere=True) == current()
    assert current(revision="main") == [("Viking", True), ("Base", False)]
    assert current(revision="main~..") == [("Viking", False), ("Crown", True)]
    assert current(most=1) == [("Viking", False)]
    run(game, "hero", "--json")
    assert [item["current"] for item in json.loads(capsys.readouterr().out)["versions"]] == [
        False,
        True,
        False,
    ]
    for words in (["-n", "1"], ["-n", "1", "--graph"]):
        run(game, "hero", *words)
        assert capsys.readouterr().out.endswith("\n\nthe current version is older than these\n")
    for words in (["-n", "2"], ["main", "-n", "1"]):
        run(game, "hero", *words)
        assert "is older than these" not in capsys.readouterr().out


def test_of_what_is_gone_no_version_is_current(game: Repository) -> None:
    game.commit(record("knight", drawn=1), subject="First")
    game.commit(record("hero", drawn=1), subject="Renamed")
    assert [version.current for version in told(game, "knight").versions] == [False, False]
    assert [version.current for version in told(game, "hero").versions] == [True, False]


def test_a_rename_on_one_branch_says_nothing_of_another(game: Repository) -> None:
    other = record("other", drawn=9)
    game.commit(record("knight", drawn=1), other, subject="Base")
    game.git("checkout", "-q", "-b", "side")
    game.commit(record("knight", drawn=2, seed=4), other, subject="Under the old name")
    game.git("checkout", "-q", "main")
    game.commit(record("hero", drawn=1), other, subject="Renamed")
    game.git("merge", "-q", "--no-commit", "-s", "ours", "side")
    game.commit(record("hero", drawn=2, seed=4), other, subject="Merge")
    found = lines(told(game))
    assert found[0] == ("Merge", "changed", "hero")
    assert ("Renamed", "renamed", "hero") in found
    assert found[-1] == ("Base", "added", "knight")


def test_all_branches(game: Repository) -> None:
    game.commit(record("hero", drawn=1), subject="Base")
    game.git("checkout", "-q", "-b", "side")
    game.commit(record("hero", drawn=2, seed=4), subject="Only there")
    game.git("checkout", "-q", "main")
    assert lines(told(game)) == [("Base", "added", "hero")]
    assert lines(told(game, everywhere=True)) == [
        ("Only there", "changed", "hero"),
        ("Base", "added", "hero"),
    ]
    assert lines(told(game, revision="side"))[0] == ("Only there", "changed", "hero")


def test_ranges_and_the_newest_few(game: Repository) -> None:
    for number in range(5):
        game.commit(record("hero", drawn=number, seed=number), subject=f"{number}")
    assert [subject for subject, _, _ in lines(told(game, most=2))] == ["4", "3"]
    found = told(game, revision="HEAD~3..HEAD~1")
    assert [subject for subject, _, _ in lines(found)] == ["3", "2"]
    assert found.versions[-1].before is not None
    assert told(game, revision="HEAD..HEAD").entries == ()
    assert [subject for subject, _, _ in lines(told(game, revision="HEAD~3.."))] == ["4", "3", "2"]


def test_only_where_the_prompt_changed(game: Repository) -> None:
    game.commit(record("hero", drawn=1), subject="First")
    game.commit(record("hero", drawn=2, seed=4), subject="Seed")
    game.commit(record("hero", drawn=3, seed=4, prompt="two knights"), subject="Prompt")
    game.commit(record("hero", drawn=4, seed=4, prompt="two knights", negative="blur"), subject="Negative")
    game.commit(subject="Gone")
    found = told(game, prompts=True)
    assert [subject for subject, _, _ in lines(found)] == ["Negative", "Prompt", "First"]
    assert [subject for subject, _, _ in lines(told(game, prompts=True, most=1))] == ["Negative"]


BROKEN = "this is [no TOML\n"


def test_a_broken_lock_is_a_note_and_what_follows_is_compared_with_what_was_before(game: Repository) -> None:
    game.commit(record("hero", drawn=1), subject="First")
    game.commit_text(BROKEN, subject="Oops")
    game.commit_text(BROKEN + "\n", subject="Oops again")
    game.commit(record("hero", drawn=1), subject="Mended")
    game.commit_text("\N{LATIN SMALL LETTER E WITH ACUTE}", subject="Once more")
    game.commit(record("hero", drawn=2, seed=4), subject="Second")
    found = told(game)
    kinds = [(entry.commit.subject, isinstance(entry, Gap)) for entry in found.entries]
    assert kinds == [("Second", False), ("Once more", True), ("Oops", True), ("First", False)]
    gap = found.entries[2]
    assert isinstance(gap, Gap)
    assert gap.why.startswith("the lock:1:6: not TOML: ")
    assert found.versions[0].before is not None
    assert found.versions[0].before.parts.seed == 3


def test_a_conflict_that_was_committed_is_a_note(game: Repository) -> None:
    game.commit(record("hero", drawn=1), record("other"), subject="First")
    ours = dump(Lock().updated([record("hero", drawn=2, seed=4), record("other")]))
    theirs = dump(Lock().updated([record("hero", drawn=3, seed=5), record("other")]))
    game.commit_text(f"<<<<<<< ours\n{ours}=======\n{theirs}>>>>>>> theirs\n", subject="In conflict")
    game.commit(record("hero", drawn=2, seed=4), record("other"), subject="Resolved")
    found = told(game)
    assert [type(entry) for entry in found.entries] == [Version, Gap, Version]
    gap = found.entries[1]
    assert isinstance(gap, Gap)
    assert gap.why == "both sides of a merge changed it, and it was committed so"
    assert lines(told(game, "other")) == [("First", "added", "other")]


def test_a_lock_that_is_broken_elsewhere_is_read(game: Repository) -> None:
    game.commit(record("hero", drawn=1), record("other"), subject="First")
    text = dump(Lock().updated([record("hero", drawn=2, seed=4), record("other")]))
    game.commit_text(
        text.replace('[assets.other]\nengine = "noise"', "[assets.other]\nengine = 4"), subject="Half"
    )
    assert lines(told(game)) == [("Half", "changed", "hero"), ("First", "added", "hero")]


def test_a_record_that_was_edited_is_not_believed(game: Repository) -> None:
    game.commit(record("hero", drawn=1), subject="First")
    game.commit_text(
        dump(Lock().updated([record("hero", drawn=1)])).replace("a knight", "a lie"), subject="Edited"
    )
    found = told(game)
    gap = found.entries[0]
    assert isinstance(gap, Gap)
    assert gap.why == "the lock: asset `hero` has a recipe that does not match its digest"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("hreo", "no lock in `HEAD` ever had an asset `hreo`\n\nhint: did you mean `hero`?"),
        ("knihgt", "no lock in `HEAD` ever had an asset `knihgt`\n\nhint: did you mean `knight`?"),
        ("zzz", "no lock in `HEAD` ever had an asset `zzz`\n\nhint: run `artlock status` for the list"),
        ("\ud800", "no lock in `HEAD` ever had an asset `\ud800`\n\nhint: run `artlock status` for the list"),
    ],
)
def test_a_name_that_nobody_ever_had(game: Repository, name: str, message: str) -> None:
    game.commit(record("knight", drawn=1))
    game.commit(record("hero", drawn=2))
    with pytest.raises(ArtlockError) as caught:
        told(game, name)
    assert str(caught.value) == message


def test_no_lock_was_ever_committed(game: Repository) -> None:
    game.save()
    with pytest.raises(ArtlockError) as caught:
        told(game)
    expected = "no commit of `HEAD` has an `assets.lock`\n\nhint: run `artlock build`, and commit it"
    assert str(caught.value) == expected


@pytest.mark.parametrize("words", [["-n", "0"], ["HEAD", "--all"], ["--output=x"]])
def test_wrong_words(game: Repository, words: Sequence[str], capsys: pytest.CaptureFixture[str]) -> None:
    game.commit(record("hero", drawn=1))
    run(game, "hero", *words, code=2)
    assert capsys.readouterr().out == ""


TERMINAL = """\
hero: 3 versions by 2 people, 2026-01-02 to 2026-01-04

{2}  2026-01-04  Ada  Renamed
  renamed from knight · pixels {p2} · current
  output: out/knight.png → out/hero.png

{1}  2026-01-03  Bo  Cold \\x1b[31m
  changed · 8 of 64 bits from the one before · pixels {p2}
  prompt: a {{+cold +}}knight
  seed: 3 → 4

{0}  2026-01-02  Ada  First
  added · pixels {p1}
  prompt: a knight
  seed: 3
  engine: noise (noise 1.0.0)
  size: 2 x 2
"""

GRAPH = """\
hero: 3 versions by 2 people, 2026-01-02 to 2026-01-04

{2}  2026-01-04                                     0  renamed from knight, current  Renamed
{1}  2026-01-03  ████                               8  changed                       Cold \\x1b[31m
{0}  2026-01-02                                        added                         First

bits of 64 in which the perceptual hash differs from that of the version before
"""


def test_the_terminal(game: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    cold: dict[str, Any] = {"drawn": 2, "prompt": "a cold knight", "seed": 4, "phash": RED}
    commits = [
        game.commit(record("knight", drawn=1), subject="First"),
        game.commit(record("knight", **cold), subject="Cold \x1b[31m", author="Bo"),
        game.commit(record("hero", **cold), subject="Renamed"),
    ]
    short = [commit[:10] for commit in commits]
    pixels = {"p1": digest_of_picture(1)[:12], "p2": digest_of_picture(2)[:12]}
    run(game, "hero")
    assert capsys.readouterr().out == TERMINAL.format(*short, **pixels)
    run(game, "hero", "--graph")
    assert capsys.readouterr().out == GRAPH.format(*short)
    run(game, "hero", "HEAD..HEAD")
    assert capsys.readouterr().out == "hero: no version here\n"


def test_json(game: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    first = game.commit(record("knight", drawn=1), subject="First")
    broken = game.commit_text(BROKEN, subject="Oops")
    second = game.commit(record("hero", drawn=1), subject="Second")
    run(game, "hero", "--json")
    found = json.loads(capsys.readouterr().out)
    assert found["name"] == "hero"
    assert found["ends"] == ""
    assert [(item["commit"], item["kind"], item["name"]) for item in found["versions"]] == [
        (second, "renamed", "hero"),
        (first, "added", "knight"),
    ]
    newest = found["versions"][0]
    assert newest["renamed_from"] == "knight"
    assert newest["author"] == {"name": "Ada", "mail": "ada@example.org"}
    assert newest["parts"]["prompt"] == "a knight"
    assert newest["picture"]["phash"] == BLUE
    assert newest["distance"] == 0
    assert newest["changed"][0]["name"] == "output"
    assert newest["approved"] is None
    assert [(item["commit"], item["why"][:20]) for item in found["unreadable"]] == [
        (broken, "the lock:1:6: not TO")
    ]


@pytest.mark.parametrize(
    ("bits", "drawn"),
    [(None, "    "), (0, "    "), (1, "    "), (2, "▏   "), (8, "▌   "), (16, "█   "), (64, "████")],
)
def test_a_bar(bits: int | None, drawn: str) -> None:
    assert bar(bits, 4) == drawn


def test_words_of_many_fields() -> None:
    fields = [Field(name=f"f{number}", cause=Cause.RECIPE) for number in range(12)]
    assert fewer(fields[:9]) == (fields[:9], "")
    assert fewer(fields) == (fields[:8], "and 4 differences more")
    assert [value_told(value) for value in (None, "x", ["a", "b"], [1, 2], [], True)] == [
        "—", "x", "a; b", "[1, 2]", "[]", "true",
    ]  # fmt: skip


def test_kinds_are_those_of_a_review() -> None:
    from buildsys.history.words import _KINDS  # noqa: PLC0415 - that no kind lacks its word

    assert set(_KINDS) == set(Kind)
