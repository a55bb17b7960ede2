"""Two locks held against each other: kinds, fields, causes, and where a change began."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_lock import locked, record, sha

from buildsys.lock.model import Approval, Conflict, Lock
from buildsys.manifest.model import AssetName, FinishStep
from buildsys.plan.record import Record
from buildsys.review.changes import Snapshot, compare
from buildsys.review.model import Cause, Change, Kind, Measure
from buildsys.review.rank import attention, look

STEPS = (
    FinishStep(name="trim", version=1, parameters={}),
    FinishStep(name="resize", version=2, parameters={"size": [64, 64]}),
)
SMALLER = msgspec.structs.replace(STEPS[1], parameters={"size": [9, 9]})


def picture(made: Record, word: str, *, pixels: bool = True) -> Record:
    """`made` with another picture; its pixels are new, too, unless it is only encoded anew."""
    other = {"file": sha(word), **({"pixels": sha(word * 2)} if pixels else {})}
    return msgspec.structs.replace(made, picture=msgspec.structs.replace(made.picture, **other))


def changes(before: Lock, after: Lock) -> dict[str, Change]:
    found, _ = compare(Snapshot(lock=before), Snapshot(lock=after))
    return {change.name: change for change in found}


def one(before: Record, after: Record) -> Change:
    (change,) = changes(locked(before), locked(after)).values()
    return change


def told(change: Change) -> list[tuple[str, Any, Any]]:
    return [(field.name, field.before, field.after) for field in change.fields]


def test_added_removed_renamed_and_unchanged() -> None:
    gem, old, new = record("gem"), record("old"), record("new")
    moved = msgspec.structs.replace(gem, name=AssetName("jewel"), output="out/jewel.png")
    found, unchanged = compare(
        Snapshot(lock=locked(gem, old, record("rock"))), Snapshot(lock=locked(moved, new, record("rock")))
    )
    assert [(change.name, change.kind, change.causes) for change in found] == [
        ("jewel", Kind.RENAMED, ()),
        ("new", Kind.ADDED, ()),
        ("old", Kind.REMOVED, ()),
    ]
    assert unchanged == 1
    assert found[0].before is not None
    assert found[0].before.record.name == "gem"
    assert found[0].fields == ()


def test_of_several_with_the_same_bytes_those_of_one_recipe_belong_together() -> None:
    one, two = record("one"), picture(record("two"), "one", pixels=False)
    renamed = [
        msgspec.structs.replace(two, name=AssetName("a")),
        msgspec.structs.replace(one, name=AssetName("b")),
    ]
    found = changes(locked(one, two), locked(*renamed))
    sides = {name: change.before.record.name for name, change in found.items() if change.before}
    assert sides == {"a": "two", "b": "one"}
    # And one that is still there was not renamed.
    assert changes(locked(one), locked(one, renamed[1]))["b"].kind is Kind.ADDED


def test_a_prompt_word_by_word_and_its_cause() -> None:
    change = one(record("gem", prompt="a red gem"), picture(record("gem", prompt="a blue gem", seed=8), "x"))
    assert (change.kind, change.causes) == (Kind.CHANGED, (Cause.RECIPE,))
    assert told(change) == [("prompt", "a red gem", "a blue gem"), ("seed", 7, 8)]
    assert [(word.text, word.state) for word in change.fields[0].words] == [
        ("a ", "same"),
        ("red", "gone"),
        ("blue", "new"),
        (" gem", "same"),
    ]


@pytest.mark.parametrize(
    ("before", "after", "fields"),
    [
        ({"seed": None}, {"seed": 0}, [("seed", None, 0)]),
        ({"negative": ""}, {"negative": "fog"}, [("negative", None, "fog")]),
        ({"size": (8, 8)}, {"size": (16, 8)}, [("size", [8, 8], [16, 8])]),
        ({"parameters": {"a": 1}}, {"parameters": {"b": {"c": 2}}}, [
            ("parameters.a", 1, None), ("parameters.b", None, {"c": 2}),
        ]),
        ({"parameters": {"b": {"c": 2, "d": 1}}}, {"parameters": {"b": {"c": 3, "d": 1}}}, [
            ("parameters.b.c", 2, 3),
        ]),
        ({"parameters": {"a": True}}, {"parameters": {"a": 1}}, [("parameters.a", True, 1)]),
        ({"finish": STEPS}, {"finish": STEPS[1:]}, [
            ("finish", ["trim", "resize size=[64, 64]"], ["resize size=[64, 64]"]),
        ]),
        ({"finish": STEPS}, {"finish": (STEPS[0], SMALLER)}, [
            ("finish.resize.size", [64, 64], [9, 9]),
        ]),
        ({"finish": STEPS[1:] * 2}, {"finish": (STEPS[1], SMALLER)}, [
            ("finish.1.resize.size", [64, 64], [9, 9]),
        ]),
    ],
)  # fmt: skip
def test_fields_of_a_recipe(before: dict[str, Any], after: dict[str, Any], fields: list[Any]) -> None:
    change = one(record("gem", **before), picture(record("gem", **after), "x"))
    assert told(change) == fields
    assert change.causes == (Cause.RECIPE,)


@pytest.mark.parametrize(
    ("after", "causes"),
    [
        ({}, (Cause.HAND,)),
        ({"adapter_version": "2.0.0"}, (Cause.ENGINE,)),
        ({"revision": "other", "prompt": "x"}, (Cause.RECIPE, Cause.ENGINE)),
        ({"finish_version": "9"}, (Cause.ENGINE,)),
        ({"inputs": {"image": sha("other")}}, (Cause.INPUT,)),
    ],
)
def test_causes(after: dict[str, Any], causes: tuple[Cause, ...]) -> None:
    assert one(record("gem"), picture(record("gem", **after), "x")).causes == causes


def test_what_is_told_of_a_picture_is_no_cause() -> None:
    """A provider rewrites the prompt each time: that is not why it was asked again."""
    gem = msgspec.structs.replace(record("gem"), sent={"prompt": "one gem"})
    new = msgspec.structs.replace(picture(record("gem"), "x"), sent={"prompt": "two gems"})
    change = one(gem, new)
    assert change.causes == (Cause.HAND,)
    assert [(word.text, word.state) for word in change.fields[0].words] == [
        ("one gem", "gone"),
        ("two gems", "new"),
    ]


def test_another_environment() -> None:
    new = msgspec.structs.replace(record("gem"), environment={"python": "3.12.1", "numpy": "2.1.0"})
    assert one(record("gem"), new).kind is Kind.RECORD
    change = one(record("gem"), picture(new, "x"))
    assert (change.kind, change.causes) == (Kind.CHANGED, (Cause.ENVIRONMENT,))
    assert told(change) == [("environment.python", "3.11.7", "3.12.1")]


def test_another_encoding_of_the_same_pixels() -> None:
    change = one(record("gem"), picture(record("gem", finish_version="2"), "x", pixels=False))
    assert (change.kind, change.causes) == (Kind.ENCODING, (Cause.ENGINE,))


def test_what_a_person_said_of_a_picture() -> None:
    gem, by = record("gem"), "Ada <ada@example.invalid>"
    approved = msgspec.structs.replace(
        locked(gem), approvals={gem.name: Approval(pixels=gem.picture.pixels, by=by)}
    )
    (change,) = changes(locked(gem), approved).values()
    assert (change.kind, change.notes) == (Kind.RECORD, (f"approved by {by}",))
    assert change.after is not None
    assert change.after.approval is not None
    # It names the picture, and so lapses with it.
    lapsed = msgspec.structs.replace(approved, records=locked(picture(gem, "x")).records)
    (change,) = changes(approved, lapsed).values()
    assert change.notes == (f"its approval by {by} holds no more",)
    frozen = msgspec.structs.replace(locked(gem), frozen={gem.name: gem.picture.file})
    assert [change.notes for change in changes(locked(gem), frozen).values()] == [("frozen",)]
    assert [change.notes for change in changes(frozen, locked(gem)).values()] == [("thawed",)]


def test_the_further_files_of_an_atlas() -> None:
    old = msgspec.structs.replace(record("atlas"), companions={".json": sha("a"), ".css": sha("b")})
    new = msgspec.structs.replace(record("atlas"), companions={".json": sha("c"), "-1.png": sha("d")})
    change = one(old, new)
    assert change.kind is Kind.RECORD
    assert change.notes == ("its further files changed: `-1.png`, `.css`, `.json`",)


def made_from(name: str, source: str, word: str, **parts: Any) -> Record:
    own = record(name, inputs={"image": sha(word)}, **parts)
    path = source if "/" in source else f"asset:{source}"
    return msgspec.structs.replace(picture(own, name + word), paths={"image": path})


def test_a_change_is_followed_to_where_it_began() -> None:
    before = locked(
        record("castle"), made_from("small", "castle", "1"), made_from("icon", "small", "1"),
        made_from("logo", "art/logo.png", "1"),
    )  # fmt: skip
    after = locked(
        picture(record("castle", prompt="a castle", seed=9), "x"), made_from("small", "castle", "2"),
        made_from("icon", "small", "2"), made_from("logo", "art/logo.png", "2"),
    )  # fmt: skip
    found = changes(before, after)
    assert found["small"].notes == ("made from `castle`, whose prompt and seed changed",)
    assert found["icon"].notes == (
        "made from `small`, which is made from `castle`, whose prompt and seed changed",
    )
    assert found["logo"].notes == ("made from the file `art/logo.png`, which changed",)


@pytest.mark.parametrize(
    ("castle", "note"),
    [
        (picture(record("castle"), "x"), "which was made anew, or changed by hand"),
        (
            picture(record("castle", adapter_version="2", model="b"), "x"),
            "whose engine changed: adapter_version and model",
        ),
        (
            picture(msgspec.structs.replace(record("castle"), environment={"python": "3.12.1"}), "x"),
            "which was made with other versions: numpy and python",
        ),
        (record("castle"), "which is the same on both sides: it was made from an older one before"),
    ],
)
def test_why_another_asset_changed(castle: Record, note: str) -> None:
    before = locked(record("castle"), made_from("icon", "castle", "1"))
    after = locked(castle, made_from("icon", "castle", "2"))
    assert changes(before, after)["icon"].notes == (f"made from `castle`, {note}",)


def test_another_source() -> None:
    before = locked(record("castle"), made_from("icon", "castle", "1"))
    after = locked(record("castle"), record("tower"), made_from("icon", "tower", "2"))
    assert changes(before, after)["icon"].notes == ("made from `tower`, not from `castle` any more",)


def test_what_is_now_made_from_another_asset() -> None:
    def note(old: Record, new: Record) -> str:
        (told,) = changes(locked(record("axe"), old), locked(record("axe"), new))["icon"].notes
        return told

    adopted = made_from("icon", "art/icon.png", "1")
    assert note(record("icon"), adopted) == "now made from `art/icon.png`"
    both = msgspec.structs.replace(
        picture(record("icon", inputs={"image": sha("1"), "mask": sha("2")}), "both"),
        paths={"image": "art/icon.png", "mask": "asset:axe"},
    )
    assert note(adopted, both) == "now made from `axe`, too"


def test_what_stands_beside_the_recipe_made_nothing_again() -> None:
    """Only the name of what it is made from is another one: the bytes are the same."""
    icon = made_from("icon", "hero", "1")
    renamed = msgspec.structs.replace(icon, paths={"image": "asset:knight"})
    before = locked(record("hero"), icon, made_from("badge", "icon", "1"))
    after = locked(record("knight"), renamed, made_from("badge", "icon", "2"))
    found = changes(before, after)
    assert (found["icon"].kind, found["icon"].causes, found["icon"].notes) == (Kind.RECORD, (), ())
    assert [field.name for field in found["icon"].fields] == ["paths.image"]
    assert found["badge"].notes == (
        "made from `icon`, which is the same on both sides: it was made from an older one before",
    )


def test_two_assets_that_name_each_other_end() -> None:
    """No build makes such a lock, but a stranger may."""
    before = locked(made_from("a", "b", "1"), made_from("b", "a", "1"))
    after = locked(made_from("a", "b", "2"), made_from("b", "a", "2"))
    (note,) = changes(before, after)["a"].notes
    assert note.startswith("made from `b`, which is made from `a`, which is the same")


def test_an_atlas_of_many_sprites() -> None:
    def atlas(word: str) -> Record:
        sprites = {f"sprite.s{number}": sha(f"{word}{number}") for number in range(5)}
        own = picture(record("atlas", inputs=sprites), word)
        return msgspec.structs.replace(own, paths={key: f"asset:{key[7:]}" for key in sprites})

    assert one(atlas("1"), atlas("2")).notes == ("5 of its inputs changed: `s0`, `s1`, `s2` and 2 more",)


def test_what_a_merge_left_open_is_neither_added_nor_removed() -> None:
    gem = record("gem")
    open_lock = Lock(conflicts={gem.name: Conflict(ours=gem)})
    assert changes(locked(gem), open_lock) == {}
    assert changes(open_lock, locked(gem)) == {}


def test_a_file_that_is_not_the_locks() -> None:
    side = Snapshot(lock=locked(record("gem")), edited={AssetName("gem"): sha("hand")})
    (change,), _ = compare(Snapshot(lock=locked(record("gem"))), side)
    assert (change.kind, change.causes) == (Kind.CHANGED, (Cause.HAND,))
    assert change.notes == ("`out/gem.png` is not the file that the lock tells of: it was changed by hand",)
    assert change.after is not None
    assert change.after.shown == sha("hand")


def measure(**more: Any) -> Measure:
    known: dict[str, Any] = {
        "likeness": "different", "hash_bits": 0, "psnr": 60.0, "ssim": 1.0, "changed": 0.0,
        "largest": 0, "alpha": 0.0, "box": None,
    }  # fmt: skip
    return Measure(**known | more)


@given(
    kind=st.sampled_from(Kind),
    causes=st.sets(st.sampled_from(Cause)),
    bits=st.integers(0, 64),
    ssim=st.floats(-1, 1),
    changed=st.none() | st.floats(0, 1),
    psnr=st.none() | st.floats(0, 100),
)
def test_attention_is_a_share(
    kind: Kind, causes: set[Cause], bits: int, ssim: float, changed: float | None, psnr: float | None
) -> None:
    told = measure(hash_bits=bits, ssim=ssim, changed=changed, psnr=psnr)
    change = Change(kind=kind, causes=tuple(causes), measure=told)
    assert 0 <= attention(change) <= 1


def test_what_a_reviewer_should_look_at_first() -> None:
    def changed(told: Measure | None, cause: Cause = Cause.RECIPE) -> float:
        return attention(Change(kind=Kind.CHANGED, causes=(cause,), measure=told))

    whole = measure(hash_bits=32, ssim=0.0, changed=1.0, largest=255)
    order = [
        changed(whole, Cause.HAND),
        changed(None),
        attention(Change(kind=Kind.ADDED)),
        changed(measure(hash_bits=8, ssim=0.8)),
        attention(Change(kind=Kind.REMOVED)),
        changed(measure(psnr=None)),
        attention(Change(kind=Kind.RENAMED)),
        attention(Change(kind=Kind.ENCODING)),
        attention(Change(kind=Kind.RECORD)),
    ]
    assert order == sorted(order, reverse=True)
    assert len({*order}) == len(order)
    # One level off everywhere is nothing that an eye sees; another size is.
    assert look(measure(changed=1.0, largest=1)) < 0.01
    # Nor is what hash and SSIM can't see nothing: they know no colours.
    assert look(measure(psnr=18.8, changed=0.27, largest=140)) == pytest.approx(21.2 / 30)
    assert look(measure(psnr=3.0)) == 1.0
    assert look(measure(changed=None, largest=None)) == look(measure(psnr=None, changed=None)) == 0.5


def test_what_was_approved_needs_less() -> None:
    gem = picture(record("gem", seed=8), "x")
    lock = locked(gem)
    approved = msgspec.structs.replace(
        lock, approvals={gem.name: Approval(pixels=gem.picture.pixels, by="Ada")}
    )
    (plain,), (accepted,) = (
        compare(Snapshot(lock=locked(record("gem"))), Snapshot(lock=side))[0] for side in (lock, approved)
    )
    assert attention(accepted) == pytest.approx(attention(plain) / 4, abs=1e-4)
