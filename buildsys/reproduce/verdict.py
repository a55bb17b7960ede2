"""The verdict on a picture that was made again: how close, and whether a promise was kept.

Pure. Knows nothing of engines and files: distances come in as numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from buildsys.manifest.model import Engine
from buildsys.manifest.process import determinism
from buildsys.plan.companions import files_of
from buildsys.plan.record import Record
from buildsys.reproduce.model import Closeness, Distance, Likeness, Metric, Promised, Tolerance
from engines.protocol import Determinism

ELSEWHERE: Final = Tolerance(metric=Metric.LARGEST, limit=1)
"""What a picture of class `environment` may differ by in another environment, unless a person says otherwise.

Measured: other threads, batches, instruction sets and makers of the processor moved single channel values of
pictures of a diffusion model in fp32 by 1 of 255, never more. In bf16 they move by up to 31: those are other
pictures, and none is taken for the same.
"""


def likeness_of(old: Record, new: Record) -> Likeness:
    """As far as digests tell: `within-tolerance` needs a distance."""
    if (old.picture.file, old.companions) == (new.picture.file, new.companions):
        return Likeness.BYTES
    if old.picture.pixels == new.picture.pixels and old.companions == new.companions:
        return Likeness.PIXELS
    return Likeness.DIFFERENT


def differing(old: Record, new: Record) -> tuple[str, ...]:
    """The files beside the picture that are not as they were, or are there once only."""
    before, after = files_of(old), files_of(new)
    return tuple(
        path
        for path in sorted({*before, *after})
        if path not in (old.output, new.output) and before.get(path) != after.get(path)
    )


def class_of(engine: Engine, then: Mapping[str, str], now: Mapping[str, str]) -> Determinism:
    """The class by which pictures of `engine` are judged that were made in these two environments.

    One that is `bitwise` by a parameter computes with the numbers of large libraries: it is so on any
    machine, but only with the same versions of them.
    """
    same = all(then.get(name) == now.get(name) for name in engine.card.packages)
    return determinism(engine) if same else engine.card.determinism


def promised(determinism: Determinism, old: Record, new: Record) -> Promised:
    """Whether the adapter's promise was kept.

    What counts is pixels: how a file is encoded is the finish adapter's, whatever made the picture.
    """
    if likeness_of(old, new) is not Likeness.DIFFERENT:
        return Promised.KEPT
    same_place = bool(old.environment) and dict(old.environment) == dict(new.environment)
    if determinism is Determinism.BITWISE or (determinism is Determinism.ENVIRONMENT and same_place):
        return Promised.BROKEN
    return Promised.NOTHING


def closeness(
    determinism: Determinism, kept: Promised, distance: Distance, asked: Tolerance | None
) -> Closeness | None:
    """How close a differing picture came, if it is close enough.

    A broken promise is never excused by a tolerance. Of the classes `seeded` and `none` nobody measured how
    far pictures move, so only a person's word makes them close.
    """
    default = ELSEWHERE if determinism is Determinism.ENVIRONMENT else None
    tolerance = asked or default
    if kept is Promised.BROKEN or tolerance is None:
        return None
    metric, limit = tolerance.metric, tolerance.limit
    value = getattr(distance, metric)
    if value is None:
        alike = metric is Metric.PSNR and distance.ssim is not None and not distance.resized
        return Closeness(metric=metric, value=None, limit=limit) if alike else None
    if distance.resized or (value < limit if metric.is_likeness else value > limit):
        return None
    return Closeness(metric=metric, value=value, limit=limit)
