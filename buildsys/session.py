"""A session: a checkout opened and planned.

What a command of artlock, or a program that uses it as a library, starts from. Knows nothing of making:
`buildsys.workbench` does, and so `check` loads no scheduler and no engine pool.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import msgspec

from buildsys import files
from buildsys.checkout import Checkout
from buildsys.digest import Digest
from buildsys.errors import ManifestError, did_you_mean
from buildsys.lock.model import Lock
from buildsys.lock.read import load as load_lock
from buildsys.make.results import Raw
from buildsys.manifest.model import AssetName, Manifest
from buildsys.manifest.read import parse as parse_manifest
from buildsys.manifest.read import read as read_manifest
from buildsys.places import LOCK as LOCK  # noqa: PLC0414 - whoever works with a session has these from here
from buildsys.places import MANIFEST
from buildsys.places import PRIVATE as PRIVATE  # noqa: PLC0414
from buildsys.places import find_root as find_root  # noqa: PLC0414
from buildsys.plan import price, recipe
from buildsys.plan.companions import files_of
from buildsys.plan.judge import Judge, Wishes
from buildsys.plan.step import Plan, Step
from buildsys.plan.world import World
from buildsys.store.nowhere import default_store
from buildsys.store.objects import Store


class Session:
    """A checkout, opened for one profile."""

    def __init__(self, root: Path, manifest: Manifest, lock: Lock, store: Store) -> None:
        self.root = root
        self.manifest = manifest
        self.lock = lock
        self.store = store
        self.index = files.StatIndex(root)
        self.checkout = Checkout(root, store, self.index, lock.records)

    @classmethod
    def open(cls, start: Path, profile: str | None = None) -> Session:
        """Open the project that `start` lies in. Raises `ManifestError`, `LockError`."""
        root = find_root(start)
        return cls(root, read_manifest(root, profile), load_lock(root / LOCK), default_store())

    @classmethod
    def of_lock(cls, start: Path, profile: str | None = None) -> Session:
        """Open a lock, with a manifest of presets only where there is no readable one.

        For what needs nothing but lock entries or presets. Raises `LockError`.
        """
        try:
            return cls.open(start, profile)
        except ManifestError:
            root = _lock_root(start)
        presets = parse_manifest({MANIFEST: '[project]\nname = "presets"\n'}, root=root)
        return cls(root, presets, load_lock(root / LOCK), default_store())

    def read_lock(self) -> None:
        """Read the lock again. Raises `LockError`."""
        self.lock = load_lock(self.root / LOCK)
        self.checkout = Checkout(self.root, self.store, self.index, self.lock.records)

    def names(self, wanted: Collection[str]) -> tuple[AssetName, ...] | None:
        """The assets that the words of a command line name; None for no words: everything."""
        for name in wanted:
            if name not in self.manifest.assets:
                where = (
                    "is in another profile" if name in self.manifest.elsewhere else "is not in the manifest"
                )
                hint = did_you_mean(name, self.manifest.assets) or "run `artlock status` for the list"
                if name in self.manifest.elsewhere:
                    hint = f"add `--profile`; this one is `{self.manifest.profile}`"
                raise ManifestError(f"asset `{name}` {where}", hint)
        return tuple(AssetName(name) for name in wanted) or None

    def outputs(self, wanted: Collection[str]) -> tuple[AssetName, ...] | None:
        """As `names`, each asset with its other scales and formats: who names `hero` means all its files."""
        chosen = self.names(wanted)
        if chosen is None:
            return None
        files: dict[AssetName, list[AssetName]] = {name: [name] for name in chosen}
        for name, asset in self.manifest.assets.items():
            if asset.main in files:
                files[asset.main].append(name)
        return tuple(dict.fromkeys(name for group in files.values() for name in group))

    def runnable(self) -> Manifest:
        """The manifest with the models of local engines as absolute paths: an engine works elsewhere."""
        engines = {
            name: msgspec.structs.replace(engine, model=str(self.checkout.model_path(engine)))
            if recipe.is_folder(engine.model)
            else engine
            for name, engine in self.manifest.engines.items()
        }
        return msgspec.structs.replace(self.manifest, engines=engines)

    def judge(self, wishes: Wishes | None = None, world: World | None = None) -> Judge:
        """A judge of this checkout as it lies there now; `world`: what it asks in place of the checkout."""
        return Judge(
            self.manifest,
            self.lock.records,
            self.lock.placeholders,
            world or self.checkout,
            wishes or Wishes(),
            self.lock.conflicts,
            self.lock.frozen,
        )

    def plan(
        self,
        names: Collection[AssetName] | None = None,
        wishes: Wishes | None = None,
        world: World | None = None,
        *,
        trusting: bool = False,
    ) -> Plan:
        """What a build would do, and what it should cost; `world`: see `judge`.

        `trusting`: where finished files are not in git, go by what the lock says of those that are not here.
        """
        wishes = wishes or Wishes()
        away = trusting and self.manifest.project.outputs == "store"
        self.checkout.expect(self.lock_files() if away else ())
        plan = self.priced(self.judge(wishes, world).plan(names), wishes)
        self.checkout.expect(())
        self.index.save()
        return plan

    def lock_files(self) -> frozenset[Digest]:
        """Every finished file that the lock names."""
        records = self.lock.records.values()
        return frozenset(file for record in records for file in files_of(record).values())

    def priced(self, plan: Plan, wishes: Wishes) -> Plan:
        """`plan` with what each asset that would be made should cost."""
        return price.priced(plan, self.manifest, lambda step: self._is_paid(step, wishes))

    def _is_paid(self, step: Step, wishes: Wishes) -> bool:
        """Whether the store has the picture, so that only its finishing is to be made."""
        if step.parts is None or step.name in wishes.rebuild:
            return False
        kept = self.store.recall(recipe.generate_key(step.parts), Raw)
        return kept is not None and self.store.has(kept.file)


def _lock_root(start: Path) -> Path:
    try:
        return find_root(start, LOCK, MANIFEST)
    except ManifestError:
        return start.resolve()
