"""Private copies: one for all who have it, and none once nobody has."""

from __future__ import annotations

from pathlib import Path

import pytest

from buildsys.digest import of_bytes
from buildsys.errors import MakeError
from buildsys.make.copies import Copies
from buildsys.store.objects import Store


def test_a_copy_lives_as_long_as_someone_has_it(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    digest = store.put_bytes(b"red", sync=False)
    (tmp_path / "inputs").mkdir()
    copies = Copies(store, tmp_path / "inputs")
    path = copies.lend(digest, "hero.png")
    assert path == copies.lend(digest, "hero.png")
    assert path.name == f"{digest[:12]}-hero.png"
    copies.give_back(path)
    assert path.read_bytes() == b"red"
    copies.give_back(path)
    assert not path.exists()
    assert copies.lend(digest, "hero.png").read_bytes() == b"red"


def test_what_the_store_lost_is_not_lent(tmp_path: Path) -> None:
    copies = Copies(Store(tmp_path / "store"), tmp_path)
    for _ in range(2):
        with pytest.raises(MakeError) as caught:
            copies.lend(of_bytes(b"red"), "hero.png")
        assert caught.value.message == "the bytes of `hero.png` are lost from the store"
        assert caught.value.hint == "run `artlock build` again"
