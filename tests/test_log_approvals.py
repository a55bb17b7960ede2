"""`artlock log` and what a person said of a picture: approved in which commit, taken back, lapsed, frozen."""

from __future__ import annotations

from pathlib import Path

import pytest
from history_kit import Repository, digest_of_picture, record

from buildsys.cli import main
from buildsys.digest import Digest
from buildsys.history.commits import Wanted
from buildsys.history.model import Version
from buildsys.history.run import history, place
from buildsys.lock.model import Approval
from buildsys.manifest.model import AssetName

ADA = "Ada <ada@example.org>"
HERO = AssetName("hero")


@pytest.fixture
def game(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "game")


def word(drawn: int, name: str = "hero") -> dict[AssetName, Approval]:
    return {AssetName(name): Approval(pixels=digest_of_picture(drawn), by=ADA)}


def versions(game: Repository) -> tuple[Version, ...]:
    return history(place(game.folder, "", "HEAD"), "hero", Wanted()).versions


def approvals(game: Repository) -> list[tuple[str, str | None]]:
    """Of each version its subject, and the subject of the commit that approved it."""
    found = [(version.commit.subject, version.approved) for version in versions(game)]
    return [
        (subject, approved.commit.subject if approved and approved.commit else None)
        for subject, approved in found
    ]


def test_approved_later_in_a_commit_that_is_no_version(game: Repository) -> None:
    first, second = record("hero", drawn=1), record("hero", drawn=2, seed=4)
    other = record("other", drawn=9)
    game.commit(first, other, subject="First")
    game.commit(first, other, subject="Yes", approvals=word(1))
    game.commit(second, other, subject="Second", approvals=word(2))
    game.commit(second, record("other", drawn=8), subject="Elsewhere", approvals=word(2))
    assert approvals(game) == [("Second", "Second"), ("First", "Yes")]
    newest, oldest = versions(game)
    assert newest.approved is not None
    assert newest.approved.word == Approval(pixels=digest_of_picture(2), by=ADA)
    assert oldest.approved is not None
    assert oldest.approved.word.by == ADA


def test_what_was_taken_back_is_not_approved(game: Repository) -> None:
    hero = record("hero", drawn=1)
    game.commit(hero, subject="First")
    game.commit(hero, subject="Yes", approvals=word(1))
    game.commit(hero, subject="No")
    assert approvals(game) == [("First", None)]
    game.commit(hero, subject="After all", approvals=word(1))
    assert approvals(game) == [("First", "After all")]


def test_a_word_about_another_picture_says_nothing(game: Repository) -> None:
    game.commit(record("hero", drawn=2), subject="First", approvals=word(1))
    assert approvals(game) == [("First", None)]


def test_a_renamed_asset_keeps_its_approval(game: Repository) -> None:
    game.commit(record("knight", drawn=1), subject="First", approvals=word(1, "knight"))
    game.commit(record("hero", drawn=1), subject="Renamed", approvals=word(1))
    assert approvals(game) == [("Renamed", "First"), ("First", "First")]


def test_approved_before_the_range(game: Repository) -> None:
    hero = record("hero", drawn=1)
    game.commit(record("other"), subject="Base")
    game.commit(hero, subject="First", approvals=word(1))
    game.commit(record("hero", drawn=1, prompt="a knight, please"), subject="Second", approvals=word(1))
    found = history(place(game.folder, "", "HEAD"), "hero", Wanted(revision="HEAD~1..HEAD"))
    (version,) = found.versions
    assert version.approved is not None
    assert version.approved.commit is None


def test_frozen(game: Repository) -> None:
    frozen: dict[AssetName, Digest] = {HERO: digest_of_picture(1)}
    game.commit(record("hero", drawn=1), subject="First", frozen=frozen)
    game.commit(record("hero", drawn=2), subject="Second")
    assert [version.frozen for version in versions(game)] == [False, True]


def test_frozen_later_in_a_commit_that_is_no_version_and_thawed(game: Repository) -> None:
    frozen: dict[AssetName, Digest] = {HERO: digest_of_picture(1)}
    game.commit(record("hero", drawn=1), subject="First")
    game.commit(record("hero", drawn=1), subject="As it is for ever", frozen=frozen)
    assert [(version.commit.subject, version.frozen) for version in versions(game)] == [("First", True)]
    game.commit(record("hero", drawn=1), subject="Or not")
    assert [version.frozen for version in versions(game)] == [False]


def test_on_the_terminal(game: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    hero = record("hero", drawn=1)
    game.commit(hero, subject="First")
    yes = game.commit(hero, subject="Yes", approvals=word(1), frozen={HERO: digest_of_picture(1)})
    game.commit(record("hero", drawn=2), subject="Second", approvals=word(2))
    assert main(["log", "-C", str(game.folder), "hero"]) == 0
    shown = capsys.readouterr().out
    assert f"  approved by {ADA} in {yes[:10]}, 2026-01-03\n" in shown
    assert f"  approved by {ADA}\n" in shown
