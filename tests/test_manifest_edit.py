"""Editing the manifest: one thing changes, every other byte stays, and a bad edit writes nothing."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest
import rtoml
from hypothesis import given, settings
from hypothesis import strategies as st

from buildsys.errors import ArtlockError, DiskError, ManifestError
from buildsys.manifest import edit, rewrite

HEAD = '[project]\nname = "game"\n\n'
HERO = """\
# The hero.
[assets.hero]  # everyone sees him
engine = "stock"   # for now
prompt = "knight"
seed = 5           # do not touch
size = [64, 64]

# The villain's comment, which belongs to the villain.
[assets.villain]
engine = "stock"
prompt = "dragon"
seed = 6
size = [64, 64]
"""


def project(folder: Path, text: str, **others: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "assets.toml").write_bytes(text.encode())
    for name, other in others.items():
        (folder / "art").mkdir(exist_ok=True)
        (folder / "art" / f"{name}.toml").write_bytes(other.encode())
    return folder


def manifest(root: Path) -> str:
    return (root / "assets.toml").read_bytes().decode()


def test_a_value_is_replaced_where_it_stands(tmp_path: Path) -> None:
    root = project(tmp_path, HEAD + HERO)
    assert edit.set_key(root, "hero", "seed", 77) == "assets.toml"
    assert manifest(root) == HEAD + HERO.replace("seed = 5 ", "seed = 77 ")


def test_a_new_key_goes_below_the_last_one_and_not_below_the_next_comment(tmp_path: Path) -> None:
    root = project(tmp_path, HEAD + HERO)
    edit.set_key(root, "hero", "format", "webp")
    assert manifest(root) == HEAD + HERO.replace(
        "size = [64, 64]\n\n", 'size = [64, 64]\nformat = "webp"\n\n'
    )


def test_a_key_is_removed_with_its_line(tmp_path: Path) -> None:
    root = project(
        tmp_path, HEAD + HERO.replace("size = [64, 64]\n", 'size = [64, 64]\nformat = "png" # x\n', 1)
    )
    edit.remove_key(root, "hero", "format")
    assert manifest(root) == HEAD + HERO


def test_a_new_table_goes_to_the_end(tmp_path: Path) -> None:
    root = project(tmp_path, HEAD + HERO.removesuffix("\n"))
    table = {"engine": "stock", "prompt": 'a "red"\nkey', "seed": 1, "size": (64, 64)}
    draft = edit.Draft(root)
    draft.add("ui/key", table, ["found with:", "steps = 20"])
    draft.save()
    assert manifest(root) == HEAD + HERO + (
        '\n[assets."ui/key"]\nengine = "stock"\nprompt = """\na "red"\nkey"""\nseed = 1\nsize = [64, 64]\n'
        "# found with:\n# steps = 20\n"
    )


def test_an_included_file_is_edited_in_its_place(tmp_path: Path) -> None:
    head = '[project]\nname = "game"\ninclude = ["art/*.toml"]\n'
    root = project(tmp_path, head, heroes=HERO)
    assert edit.set_key(root, "villain", "seed", 9) == "art/heroes.toml"
    assert manifest(root) == head
    assert (root / "art" / "heroes.toml").read_text() == HERO.replace("seed = 6", "seed = 9")


LAYOUTS = {
    "dotted under [assets]": (
        '[assets]\n  hero.engine = "stock"\n  hero.prompt = "x"\n  hero.seed = 1\n  hero.size = [16, 16]\n',
        (
            '[assets]\n  hero.engine = "stock"\n  hero.prompt = "x"\n  hero.seed = 1\n'
            '  hero.size = [16, 16]\n  hero.format = "webp"\n'
        ),
    ),
    "braces": (
        '[assets]\nhero = { engine = "stock", prompt = "x", seed = 1, size = [64, 64] } # one line\n',
        (
            '[assets]\nhero = { engine = "stock", prompt = "x", seed = 1, size = [64, 64], format = "webp" } '
            "# one line\n"
        ),
    ),
    "dotted at the root": (
        (
            'assets.hero.engine = "stock"\nassets.hero.prompt = "x"\nassets.hero.seed = 1\n'
            "assets.hero.size = [64, 64]\n"
        ),
        (
            'assets.hero.engine = "stock"\nassets.hero.prompt = "x"\nassets.hero.seed = 1\n'
            'assets.hero.size = [64, 64]\nassets.hero.format = "webp"\n'
        ),
    ),
    "a table below": (
        (
            '[assets.hero]\nengine = "stock"\nprompt = "x"\nseed = 1\nsize = [64, 64]\n\n'
            '[assets.hero.parameters]\nstyle = "flat"\n'
        ),
        (
            '[assets.hero]\nengine = "stock"\nprompt = "x"\nseed = 1\nsize = [64, 64]\nformat = "webp"\n\n'
            '[assets.hero.parameters]\nstyle = "flat"\n'
        ),
    ),
    "quoted": (
        '[ "assets" . \'hero\' ]\n"engine" = "stock"\nprompt = "x"\nseed = 1\nsize = [64, 64]',
        (
            '[ "assets" . \'hero\' ]\n"engine" = "stock"\nprompt = "x"\nseed = 1\nsize = [64, 64]\n'
            'format = "webp"\n'
        ),
    ),
    "windows": (
        '[assets.hero]\r\nengine = "stock"\r\nprompt = "x"\r\nseed = 1\r\nsize = [64, 64]\r\n',
        (
            '[assets.hero]\r\nengine = "stock"\r\nprompt = "x"\r\nseed = 1\r\nsize = [64, 64]\r\n'
            'format = "webp"\r\n'
        ),
    ),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_each_way_to_write_a_table(name: str, tmp_path: Path) -> None:
    before, after = LAYOUTS[name]
    # At the end of the file: keys at its root must come before any table.
    tail = '\n[project]\nname = "game"\n'
    root = project(tmp_path, before + tail)
    edit.set_key(root, "hero", "format", "webp")
    assert manifest(root) == after.removesuffix("\n" if name == "quoted" else "") + tail
    edit.set_key(root, "hero", "format", "png")
    assert (
        manifest(root) == after.removesuffix("\n" if name == "quoted" else "").replace("webp", "png") + tail
    )
    edit.remove_key(root, "hero", "format")
    assert rtoml.loads(manifest(root)) == rtoml.loads(before + tail)


def test_a_value_that_is_spread_over_tables_is_replaced_as_one(tmp_path: Path) -> None:
    text = HEAD + HERO + '\n[assets.villain.parameters]\nstyle = "flat"\n\n[variables]\nx = "y"\n'
    root = project(tmp_path, text)
    edit.set_key(root, "villain", "parameters", {"style": "pixel"})
    assert rtoml.loads(manifest(root))["assets"]["villain"]["parameters"] == {"style": "pixel"}
    assert "[assets.villain.parameters]" not in manifest(root)


def test_the_same_value_writes_nothing(tmp_path: Path) -> None:
    root = project(tmp_path, HEAD + HERO)
    before = (root / "assets.toml").stat()
    edit.set_key(root, "hero", "size", (64, 64))
    assert (root / "assets.toml").stat() == before


def test_mode_byte_order_mark_and_link_stay(tmp_path: Path) -> None:
    root = project(tmp_path / "game", HEAD + HERO)
    real = root / "real.toml"
    real.write_bytes(b"\xef\xbb\xbf" + (HEAD + HERO).encode())
    real.chmod(0o640)
    (root / "assets.toml").unlink()
    (root / "assets.toml").symlink_to("real.toml")
    edit.set_key(root, "hero", "seed", 8)
    assert (root / "assets.toml").is_symlink()
    assert real.read_bytes() == b"\xef\xbb\xbf" + (HEAD + HERO).replace("seed = 5", "seed = 8").encode()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


def refused(root: Path, *words: Any) -> ArtlockError:
    before = {path: path.read_bytes() for path in root.rglob("*.toml")}
    with pytest.raises(ArtlockError) as caught:
        edit.set_key(root, *words)
    assert {path: path.read_bytes() for path in root.rglob("*.toml")} == before
    return caught.value


def test_an_asset_of_a_matrix_can_not_be_edited_alone(tmp_path: Path) -> None:
    gems = (
        '[assets."gems/{color}"]\nengine = "stock"\nprompt = "{color} gem"\nseed = 7\nsize = [64, 64]\n'
        'matrix = { color = ["red", "green"] }\n'
    )
    error = refused(project(tmp_path, HEAD + gems), "gems/red", "seed", 8)
    assert str(error) == (
        "asset `gems/red` comes from the matrix of `gems/{color}` and has no table of its own\n\n"
        'hint: edit `[assets."gems/{color}"]` in `assets.toml` by hand'
    )


def test_an_unknown_asset_is_told_with_a_guess(tmp_path: Path) -> None:
    error = refused(project(tmp_path, HEAD + HERO), "heor", "seed", 8)
    assert str(error) == "asset `heor` is not in the manifest\n\nhint: did you mean `hero`?"


def test_an_edit_that_would_break_the_manifest_is_not_written(tmp_path: Path) -> None:
    error = refused(project(tmp_path, HEAD + HERO), "hero", "sead", 8)
    assert str(error) == (
        "the manifest was left as it is, for it would be wrong: "
        "assets.toml:10:1: unknown key `sead` in `[assets.hero]`\n\nhint: did you mean `seed`?"
    )


def test_an_edit_that_would_break_another_profile_is_not_written(tmp_path: Path) -> None:
    roles = '[roles]\nsprite = { draft = "stock", final = "vector" }\n\n'
    asset = '[assets.hero]\nrole = "sprite"\nprompt = { stock = "x" }\n'
    asset += 'text = { vector = "x" }\nseed = 1\nsize = [64, 64]\n'
    root = project(tmp_path, HEAD + roles + asset)
    error = refused(root, "hero", "prompt", "x")
    assert "for it would be wrong" in error.message
    assert "`vector`" in error.message


def test_a_manifest_that_is_wrong_already_is_told_as_it_is(tmp_path: Path) -> None:
    error = refused(project(tmp_path, HEAD + HERO + "colour = 1\n"), "hero", "seed", 8)
    assert error.message.startswith("assets.toml:17:1: unknown key `colour`")


def test_a_file_that_changes_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    root = project(tmp_path, HEAD + HERO)
    draft = edit.Draft(root)
    draft.set("hero", "seed", 8)
    (root / "assets.toml").write_text(HEAD + HERO + "# new\n")
    with pytest.raises(DiskError) as caught:
        draft.save()
    assert str(caught.value) == (
        "`assets.toml` was changed by someone else meanwhile\n\nhint: run the command again"
    )
    assert manifest(root).endswith("# new\n")


def test_a_name_that_is_taken_is_refused(tmp_path: Path) -> None:
    root = project(tmp_path, HEAD + HERO)
    draft = edit.Draft(root)
    with pytest.raises(ManifestError) as caught:
        draft.add("hero", {"engine": "stock"})
    assert (
        str(caught.value)
        == "asset `hero` is in the manifest already\n\nhint: choose another name with `--name`"
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_read_only_is_told(tmp_path: Path) -> None:
    root = project(tmp_path, HEAD + HERO)
    root.chmod(0o555)
    try:
        error = refused(root, "hero", "seed", 8)
    finally:
        root.chmod(0o755)
    assert "permission denied" in error.message


RETIRED = """\
# The hero.
[assets.hero]  # everyone sees him
source = "art/hero.png"
# Before:
# engine = "stock"   # for now
# prompt = "knight"
# seed = 5           # do not touch
# size = [64, 64]
"""


def test_what_is_retired_becomes_a_comment() -> None:
    text = rewrite.put(HERO, ("assets", "hero"), "source", "art/hero.png", first=True)
    text = rewrite.retire(text, ("assets", "hero"), {"source"}, "Before:")
    assert text == RETIRED + HERO[HERO.index("\n# The villain") :]


def test_tables_and_long_texts_are_retired_whole() -> None:
    text = (
        '[assets.hero]\nprompt = """\na\n\nb"""\nformat = "webp"\n\n[assets.hero.parameters]\n'
        "a = 1\n\n# other\n[assets.other]\nx = 1\n"
    )
    assert rewrite.retire(text, ("assets", "hero"), {"format"}, "Before:") == (
        '[assets.hero]\n# Before:\n# prompt = """\n# a\n# \n# b"""\nformat = "webp"\n\n'
        "# [assets.hero.parameters]\n# a = 1\n\n# other\n[assets.other]\nx = 1\n"
    )


# Every text that the generator makes is one that a person could have written: comments, blank lines and
# blanks anywhere, keys bare or quoted, tables with headers, dotted or in braces.
names = st.sampled_from(["hero", "ui/play", "a.b", "naïve", "x"])
values = st.recursive(
    st.one_of(
        st.integers(-(2**63), 2**63 - 1),
        st.booleans(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["a", "b c", "é"]), inner, max_size=3),
    ),
    max_leaves=4,
)
keys = st.sampled_from(["seed", "prompt", "format", "odd key", "parameters"])
blanks = st.sampled_from(["", "\n", "# a comment\n", "\n  # [assets.hero]\n\n", "#\tseed = 1\n"])
ends = st.sampled_from(["", " ", "  # why", "\t# = ] }"])


@st.composite
def texts(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A TOML text with tables under `assets`, and what it says."""
    from buildsys import toml  # noqa: PLC0415 - only this needs it

    tables = draw(st.dictionaries(names, st.dictionaries(keys, values, min_size=1, max_size=4), min_size=1))
    parts = [draw(blanks)]
    for name, table in tables.items():
        style = draw(st.sampled_from(["header", "braces", "dotted"]))
        word = toml.key(name)
        if style == "header":
            parts.append(f"[assets.{word}]{draw(ends)}\n")
            parts += [
                f"{draw(blanks)}{toml.key(key)} = {toml.inline(value)}{draw(ends)}\n"
                for key, value in table.items()
            ]
        elif style == "braces":
            inner = ", ".join(f"{toml.key(key)} = {toml.inline(value)}" for key, value in table.items())
            parts.insert(0, f"assets.{word} = {{ {inner} }}{draw(ends)}\n")
        else:
            lines = [
                f"{draw(blanks)}assets.{word}.{toml.key(key)} = {toml.inline(value)}{draw(ends)}\n"
                for key, value in table.items()
            ]
            parts.insert(0, "".join(lines))
        parts.append(draw(blanks))
    text = "".join(parts)
    if draw(st.booleans()):
        text = text.replace("\n", "\r\n")
    if draw(st.booleans()):
        text = text.rstrip("\r\n")
    return text, tables


def changed(old: str, new: str) -> tuple[str, str]:
    """The one stretch in which two texts differ, in each."""
    start = shared(old, new)
    end = shared(old[start:][::-1], new[start:][::-1])
    return old[start : len(old) - end], new[start : len(new) - end]


def shared(one: str, other: str) -> int:
    """How many characters two texts begin with in common."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((index for index, (a, b) in pairs if a != b), min(len(one), len(other)))


@settings(max_examples=300, deadline=None)
@given(texts(), st.data())
def test_a_set_key_changes_no_other_byte(made: tuple[str, dict[str, Any]], data: st.DataObject) -> None:
    text, tables = made
    asset = data.draw(st.sampled_from(sorted(tables)))
    key, value = data.draw(keys), data.draw(values)
    new = rewrite.put(text, ("assets", asset), key, value)
    wanted = {**tables, asset: {**tables[asset], key: value}}
    assert rtoml.loads(new) == {"assets": wanted}
    before, _ = changed(text, new)
    # One stretch, and nothing of it went but the old value.
    assert before == "" or key in tables[asset]
    assert rewrite.put(new, ("assets", asset), key, value) == new


@settings(max_examples=300, deadline=None)
@given(texts(), st.data())
def test_a_removed_key_takes_nothing_else_with_it(
    made: tuple[str, dict[str, Any]], data: st.DataObject
) -> None:
    text, tables = made
    asset = data.draw(st.sampled_from(sorted(tables)))
    key = data.draw(st.sampled_from(sorted(tables[asset])))
    new = rewrite.drop(text, ("assets", asset, key))
    left = {name: value for name, value in tables[asset].items() if name != key}
    found = rtoml.loads(new)
    assert found.get("assets", {}).get(asset, {}) == left
    assert {n: t for n, t in found.get("assets", {}).items() if n != asset} == {
        n: t for n, t in tables.items() if n != asset
    }
    before, after = changed(text, new)
    assert after == ""
    assert before.count("\n") <= 1


@settings(max_examples=150, deadline=None)
@given(texts(), st.dictionaries(keys, values, max_size=4))
def test_an_added_table_stands_behind_all_that_was(
    made: tuple[str, dict[str, Any]], table: dict[str, Any]
) -> None:
    text, tables = made
    new = rewrite.append(text, ("assets", "new one"), table)
    assert new.startswith(text)
    assert rtoml.loads(new) == {"assets": {**tables, "new one": table}}
