"""The walk through history: from each commit to the lock before it, under the name that the asset had there.

A lock is known by its object: what one commit leaves, the next finds. So names are handed from lock to lock,
and a rename on one branch says nothing of another. Knows nothing of pages and pictures.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec

from buildsys.digest import Digest
from buildsys.history.commits import ABSENT, Touch
from buildsys.history.model import Approved, Entry, Gap, Version
from buildsys.history.reading import Reading, State
from buildsys.lock.model import Approval
from buildsys.manifest.model import AssetName
from buildsys.plan.record import Record
from buildsys.review.fields import fields
from buildsys.review.model import Kind


class Walk:
    """One asset through the locks of `touches`, the newest first."""

    def __init__(self, reading: Reading, touches: tuple[Touch, ...], asked: AssetName, tip: str) -> None:
        """`tip`: the lock whose version is the current one."""
        self.current = reading.state(tip, asked).record
        """What the tip has; None once its version was told, and where it has none."""
        self._reading = reading
        self._touches = touches
        self._asked = asked
        self._names: dict[str, dict[AssetName, None]] = {}
        self._at = 0
        """How many of them were looked at."""
        self._standing: dict[Digest, Approval | None] = {}
        """By picture, the newest word on it."""
        self._approved: dict[Digest, Approved] = {}
        self._frozen: dict[Digest, bool] = {}
        """By file, the newest word on it."""
        self.known = False
        """Whether any lock so far had the asset, or may have had it."""

    def entries(self) -> Iterator[Entry]:
        """Every version, and every commit of which nothing could be read."""
        for touch in self._touches:
            self._at += 1
            for name in tuple(self._names.get(touch.new) or {self._asked: None}):
                yield from self._entry(touch, name)

    def heard(self, entry: Entry) -> Entry:
        """`entry` with the newest words on its picture, as far as was looked: they come later, or earlier."""
        if isinstance(entry, Gap) or entry.record is None:
            return entry
        picture = entry.record.picture
        approved, frozen = self._approved.get(picture.pixels), self._frozen.get(picture.file, False)
        return msgspec.structs.replace(entry, approved=approved, frozen=frozen)

    def _entry(self, touch: Touch, name: AssetName) -> Iterator[Entry]:
        now = self._reading.state(touch.new, name)
        if now.trouble:
            yield from self._gap(touch, name, now.trouble)
            return
        older = [self._older(touch.new, now, old, name) for old in touch.old]
        self.known |= any(found.record for found in (now, *older))
        self._hear(touch, now, older)
        if touch.merges or any(found.record == now.record for found in older):
            return
        before = next((found.record for found in older if found.record is not None), None)
        oldest = before is None and (touch.oldest or any(found.trouble for found in older))
        version = self._version(touch, name, now, before, oldest=oldest)
        if version.current:
            self.current = None
        yield version

    def _gap(self, touch: Touch, name: AssetName, why: str) -> Iterator[Gap]:
        """Told once, by the commit that began it."""
        self.known = True
        for old in touch.old:
            self._note(old, name)
        if not touch.merges and all(self._reading.state(old, name).trouble != why for old in touch.old):
            yield Gap(commit=touch.commit, why=why)

    def _older(self, new: str, now: State, old: str, name: AssetName) -> State:
        """What was said before, in the lock `old` or the last one before it that can be read, if any can."""
        further = islice(self._touches, self._at, None)
        while (then := self._reading.state(old, name)).trouble:
            self._note(old, name)
            # Never back: two broken locks may take turns.
            earlier = next((touch for touch in further if touch.new == old), None)
            if earlier is None or earlier.old[0] == ABSENT:
                return then
            old = earlier.old[0]
        if now.record is not None and then.record is None:
            source = self._renamed(now.record.picture.file, old, new)
            if source is not None:
                self._note(old, source)
                return self._reading.state(old, source)
        self._note(old, name)
        return then

    def _note(self, lock: str, name: AssetName) -> None:
        self._names.setdefault(lock, {})[name] = None

    def _renamed(self, file: Digest, here: str, gone: str) -> AssetName | None:
        """The asset that has `file` in the lock `here`, and is gone from the other."""
        return next(
            (
                name
                for name in self._reading.with_file(here, file)
                if self._reading.state(gone, name) == State()
            ),
            None,
        )

    def _hear(self, touch: Touch, now: State, older: Iterable[State]) -> None:
        """Note the newest words on the picture, and the commit that approved it."""
        if now.record is None:
            return
        pixels = now.record.picture.pixels
        self._frozen.setdefault(now.record.picture.file, now.frozen)
        word = self._standing.setdefault(pixels, now.approval)
        if word is None or now.approval != word:
            return
        new = not touch.merges and all(found.approval != word for found in older)
        if pixels not in self._approved or (new and self._approved[pixels].commit is None):
            self._approved[pixels] = Approved(word=word, commit=touch.commit if new else None)

    def _version(
        self, touch: Touch, name: AssetName, now: State, before: Record | None, *, oldest: bool
    ) -> Version:
        record = now.record
        became = None
        if record is None and before is not None and touch.new != ABSENT:
            became = self._renamed_to(before, touch)
        return Version(
            commit=touch.commit,
            kind=kind(before, record),
            name=name if record else before.name if before else name,
            record=record,
            before=before,
            fields=fields(before, record) if before and record else (),
            distance=distance(before, record),
            current=record is not None and record == self.current,
            became=became,
            oldest_known=oldest,
        )

    def _renamed_to(self, before: Record, touch: Touch) -> AssetName | None:
        for name in self._reading.with_file(touch.new, before.picture.file):
            if all(self._reading.state(old, name) == State() for old in touch.old):
                return name
        return None


def kind(before: Record | None, after: Record | None) -> Kind:
    """What happened to an asset between the two."""
    if before is None or after is None:
        return Kind.ADDED if before is None else Kind.REMOVED
    if before.name != after.name:
        return Kind.RENAMED
    if before.picture.file == after.picture.file:
        return Kind.RECORD
    return Kind.ENCODING if before.picture.pixels == after.picture.pixels else Kind.CHANGED


def distance(before: Record | None, after: Record | None) -> int | None:
    """Of 64, how many bits of the perceptual hashes differ; None where there are no two pictures."""
    if before is None or after is None:
        return None
    return (int(before.picture.phash, 16) ^ int(after.picture.phash, 16)).bit_count()
