"""Seals, approvals and frozen pictures in the text of the lock: no field of an asset changes unseen."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Final

import msgspec
import pytest
import rtoml
from test_lock import RESTORE, example, locked, record, sha, unsealed

from buildsys.errors import LockError
from buildsys.lock import seal
from buildsys.lock.merge import merge
from buildsys.lock.model import Approval, Lock
from buildsys.lock.read import load, parse
from buildsys.lock.write import dump
from buildsys.manifest.model import AssetName
from buildsys.plan.record import Credit, Record

HERO: Final = AssetName("hero")
ADA: Final = "Ada <ada@example.org>"
GRACE: Final = "Grace <grace@example.org>"


def everything() -> Record:
    """A record in which every field says something."""
    return msgspec.structs.replace(
        record("hero", inputs={"image": sha("input")}),
        instead_of="sd35-medium",
        asked=sha("asked"),
        candidate=2,
        gates=sha("gates"),
        companions={".json": sha("companion")},
        paths={"image": "art/hero.png"},
        sent={"seed": 2**64, "guidance": 0.5},
        credits=(Credit(title="broadsword", author="Lorc", licence="CC-BY-3.0", source="here"),),
    )


TEXT: Final = dump(locked(everything()))
EDITS: Final = {
    "engine": ('engine = "stock"', 'engine = "stork"'),
    "instead_of": ('"sd35-medium"', '"sd35-large"'),
    "candidate": ("candidate = 2", "candidate = 3"),
    "asked": (sha("asked"), sha("other")),
    "output": ("out/hero.png", "out/hera.png"),
    "file": (sha("hero"), sha("other")),
    "pixels": (sha("herohero"), sha("other")),
    "phash": ("00ff00ff00ff00ff", "00ff00ff00ff00fe"),
    "size": ("size = [64, 32]", "size = [64, 33]"),
    "raw": (sha("herohero" + "hero"), sha("other")),
    "companions": (sha("companion"), sha("other")),
    "gates": (sha("gates"), sha("other")),
    "paths": ("art/hero.png", "art/hera.png"),
    "sent": ("sent.guidance = 0.5", "sent.guidance = 0.25"),
    "credits": ("Lorc", "Delapouite"),
    "environment": ("\nenvironment = ", "\n# environment = "),
    "seal": ('seal = "', 'seal = "0000'),
}


def sealed_in(text: str) -> dict[str, str]:
    return {name: table["seal"] for name, table in rtoml.loads(text)["assets"].items()}


def test_the_seal_is_of_the_whole_table_as_toml_reads_it() -> None:
    table = rtoml.loads(TEXT)["assets"]["hero"]
    told = table.pop("seal")
    assert told == seal.of(table) == seal.of({**table, "seal": "any"})
    assert re.search(rf'^seal = "{told}"\n\n\[assets\.hero\.recipe\]$', TEXT, re.MULTILINE)


def test_every_field_is_tried() -> None:
    table = rtoml.loads(TEXT)["assets"]["hero"]
    assert set(EDITS) == table.keys() - {"recipe"}


@pytest.mark.parametrize("field", EDITS)
def test_an_edit_of_any_field_is_found(field: str) -> None:
    old, new = EDITS[field]
    assert TEXT.count(old) == 1
    edited = TEXT.replace(old, new)
    if field == "seal":
        edited = re.sub(r'seal = "0000(\w{12})\w{4}"', r'seal = "0000\1"', edited)
    with pytest.raises(LockError) as caught:
        parse(edited)
    assert str(caught.value) == f"assets.lock: asset `hero` does not match its seal\n\nhint: {RESTORE}"


def test_a_reference_to_another_environment_is_found() -> None:
    other = msgspec.structs.replace(record("other"), environment={"python": "3.13"})
    text = dump(locked(everything(), other))
    first, second = re.findall(r'^environment = "(.*)"$', text, re.MULTILINE)
    with pytest.raises(LockError, match="asset `hero` does not match its seal"):
        parse(text.replace(f'environment = "{first}"', f'environment = "{second}"'))


@pytest.mark.parametrize("wrong", ["'x'", "3", "'DD3A4521F1208296'"])
def test_a_seal_that_never_was_one(wrong: str) -> None:
    with pytest.raises(LockError, match="asset `hero` has a bad `seal`: expected `str"):
        parse(re.sub("^seal = .*", f"seal = {wrong}", TEXT, flags=re.MULTILINE))


def test_what_is_written_is_written_again_to_the_byte() -> None:
    for lock in (example(), locked(everything()), said(locked(everything()))):
        text = dump(lock)
        assert parse(text) == lock
        assert dump(parse(text)) == text


# Revision 1


def of_before(text: str) -> str:
    return unsealed(text).replace("revision = 2", "revision = 1")


def test_a_lock_of_before_is_read_without_seals_and_gets_them() -> None:
    old = parse(of_before(TEXT))
    assert (old.revision, old.records) == (1, locked(everything()).records)
    assert dump(old) == TEXT


@pytest.mark.parametrize("section", ["approvals", "frozen"])
def test_a_lock_of_before_has_no_such_section(section: str) -> None:
    with pytest.raises(LockError) as caught:
        parse(of_before(TEXT) + f"\n[{section}]\n")
    assert caught.value.message == f"assets.lock: unknown key `{section}`"


def test_a_lock_of_before_has_no_seals() -> None:
    with pytest.raises(LockError) as caught:
        parse(TEXT.replace("revision = 2", "revision = 1"))
    assert caught.value.message == "assets.lock: asset `hero` has an unknown key `seal`"


def test_an_asset_without_a_seal_came_from_a_branch_of_before(repository: Path) -> None:
    """Git merges it into a lock of today without a word, and the next that is written seals it."""
    base = locked(record("a"), record("m"), record("z"))
    path = repository / "assets.lock"
    write(path, of_before(dump(base)))
    git(repository, "checkout", "-b", "before")
    write(path, of_before(dump(base.updated([record("n")]))))
    git(repository, "checkout", "main")
    write(path, dump(base.updated([record("a", seed=9)])))
    git(repository, "merge", "before")
    found = load(path)
    whole = base.updated([record("a", seed=9), record("n")])
    assert found.records == whole.records
    assert dump(found) == dump(whole)
    # As old as its oldest asset: so a build writes it, also where all is fresh.
    assert found.revision == 1
    path.write_text(dump(found))
    assert load(path).revision == 2


# Merging


def git(folder: Path, *arguments: str) -> int:
    return subprocess.run(["git", *arguments], cwd=folder, check=False, capture_output=True).returncode


def write(path: Path, text: str) -> None:
    path.write_text(text)
    git(path.parent, "add", "assets.lock")
    git(path.parent, "commit", "-m", "lock")


def test_lines_of_both_sides_that_git_merged_without_a_mark_are_told(repository: Path) -> None:
    """A branch of before changed the picture, where ours only got its seals: that is no record of anybody."""
    base = locked(msgspec.structs.replace(record("a"), sent={"a": 1, "b": 2, "c": 3}))
    path = repository / "assets.lock"
    write(path, of_before(dump(base)))
    git(repository, "checkout", "-b", "before")
    other = msgspec.structs.replace(base.records[AssetName("a")], raw=sha("other"))
    write(path, of_before(dump(base.updated([other]))))
    git(repository, "checkout", "main")
    write(path, dump(base))
    assert git(repository, "merge", "before") == 0
    with pytest.raises(LockError, match="asset `a` does not match its seal"):
        load(path)


def mixed() -> str:
    """The marks alone: where git put the engine of ours beside the credits of theirs, and left the seals."""
    ours = msgspec.structs.replace(everything(), engine="stock-2")
    theirs = msgspec.structs.replace(everything(), raw=sha("other"))
    one, two = (sealed_in(dump(locked(side)))["hero"] for side in (ours, theirs))
    text = dump(locked(msgspec.structs.replace(ours, raw=theirs.raw)))
    marks = f'<<<<<<< a\nseal = "{one}"\n=======\nseal = "{two}"\n>>>>>>> b\n'
    return re.sub(r"^seal = .*\n", marks, text, flags=re.MULTILINE)


def test_a_mixed_record_is_a_conflict_of_which_no_side_can_be_taken() -> None:
    found = parse(mixed())
    assert found.records == {}
    assert found.conflicts[HERO].mixed == (True, True)
    again = parse(dump(found))
    assert again.conflicts == found.conflicts
    assert dump(again) == dump(found)


def said(lock: Lock) -> Lock:
    return msgspec.structs.replace(
        lock,
        approvals={name: Approval(pixels=item.picture.pixels, by=ADA) for name, item in lock.records.items()},
        frozen={name: item.picture.file for name, item in lock.records.items()},
    )


def approved(lock: Lock, by: str) -> Lock:
    return msgspec.structs.replace(said(lock), approvals=approvals(by), frozen={})


def approvals(by: str) -> dict[AssetName, Approval]:
    return {HERO: Approval(pixels=everything().picture.pixels, by=by)}


BASE: Final = locked(everything())


def test_the_text_of_approvals_and_frozen() -> None:
    picture = everything().picture
    assert (
        f'\n[approvals]\nhero = {{ pixels = "{picture.pixels}", by = "{ADA}" }}\n'
        f'\n[frozen]\nhero = "{picture.file}"\n'
        "\n[environments.env-"
    ) in dump(said(BASE))


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "merged"),
    [
        (BASE, approved(BASE, ADA), BASE, approvals(ADA)),
        (BASE, BASE, approved(BASE, ADA), approvals(ADA)),
        (BASE, approved(BASE, ADA), approved(BASE, GRACE), approvals(ADA)),
        (approved(BASE, ADA), BASE, approved(BASE, ADA), {}),
        (approved(BASE, ADA), approved(BASE, ADA), BASE, {}),
        (None, BASE, approved(BASE, ADA), approvals(ADA)),
        (None, approved(BASE, ADA), approved(BASE, GRACE), approvals(ADA)),
    ],
    ids=["ours", "theirs", "both", "ours-revoked", "theirs-revoked", "no-base", "no-base-both"],
)
def test_approvals_merge_by_asset(
    base: Lock | None, ours: Lock, theirs: Lock, merged: dict[AssetName, Approval]
) -> None:
    found = merge(base, ours, theirs)
    assert (found.approvals, found.conflicts) == (merged, {})


def test_a_picture_that_one_side_froze_and_the_other_replaced_is_a_conflict() -> None:
    new = msgspec.structs.replace(
        everything(), picture=msgspec.structs.replace(everything().picture, file=sha("new"))
    )
    frozen = msgspec.structs.replace(BASE, frozen=said(BASE).frozen)
    for ours, theirs in ((frozen, locked(new)), (locked(new), frozen)):
        found = merge(BASE, ours, theirs)
        assert list(found.conflicts) == [HERO]
        assert found.frozen == frozen.frozen
        # It stays one in the text, and is over with what a person chose.
        assert parse(dump(found)).conflicts.keys() == {HERO}
        assert found.updated([new]).frozen == {HERO: sha("new")}
        assert found.updated([], removed=[HERO]).frozen == {}


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ("approvals = 3", "`approvals` is not a table"),
        ("frozen = 3", "`frozen` is not a table"),
        ("[approvals]\nhero = 3", "the approval of `hero` is not `pixels` and `by`, each a text"),
        ("[approvals]\nhero = { by = 'a' }", "the approval of `hero` is not `pixels` and `by`, each a text"),
        (
            "[approvals]\nhero = { pixels = 'a', by = 'a', when = 'now' }",
            "the approval of `hero` is not `pixels` and `by`, each a text",
        ),
        (
            "[approvals]\nhero = { pixels = 3, by = 'a' }",
            "the approval of `hero` is not `pixels` and `by`, each a text",
        ),
        ("[approvals]\nhero = { pixels = 'a', by = 'a' }", "the approval of `hero` names no picture"),
        ("[frozen]\nhero = 'a'", "`frozen` holds what is no digest"),
    ],
)
def test_what_is_no_approval_and_no_frozen_picture(section: str, message: str) -> None:
    with pytest.raises(LockError) as caught:
        parse(f"version = 1\nrevision = 2\n{section}\n")
    assert (caught.value.message, caught.value.hint) == (f"assets.lock: {message}", RESTORE)
