"""Draws requests with a loaded model: what may share a batch does, and each picture becomes a PNG.

Knows nothing of how the model was found or loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engines import png
from engines.diffusion import call, exact, portable, start, words
from engines.diffusion.call import Taker
from engines.diffusion.memory import DeviceMemory
from engines.diffusion.model import Model, room
from engines.diffusion.start import Start, Task
from engines.protocol import Done, EngineError, ErrorKind, Report, Request, Result, failure

Progress: TypeAlias = Callable[[Any, int, Any, dict[str, Any]], dict[str, Any]]
"""What diffusers calls after each step: pipeline, step from 0, time, tensors; returns the tensors."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """One picture as the pipeline gave it."""

    values: NDArray[np.floating[Any]]
    """`[row, column, channel]`, 0 to 1."""
    unsafe: bool
    """The model's own safety checker said so, and blacked it out."""


@dataclass(frozen=True, slots=True)
class Work:
    """A request that was checked."""

    request: Request
    task: Task
    taker: Taker
    """What the pipeline for the task takes."""
    start: Start | None
    """What it starts from; None where it is drawn from text."""


class Artist:
    """The engine: one model, warm until its process ends."""

    def __init__(self, model: Model, memory: DeviceMemory, staging: str) -> None:
        self._model = model
        self._memory = memory
        self._staging = Path(staging)

    @property
    def batch(self) -> int:
        """The most requests that are drawn together."""
        return self._model.settings.batch

    def environment(self) -> Mapping[str, str]:
        """Library versions, device, number format."""
        return self._model.environment()

    def render(self, requests: Sequence[Request], report: Report) -> Iterator[Result]:
        """Draw `requests`, kin together; one that fails does not stop the others."""
        families: dict[str, list[Work]] = {}
        for request in requests:
            try:
                work = self._work(request)
            except EngineError as error:
                yield failure(error, request.id)
            else:
                families.setdefault(call.kinship(request), []).append(work)
        groups = list(_groups(families.values(), self._model.settings.batch))
        for number, group in enumerate(groups):
            waiting = [work.request for later in groups[number + 1 :] for work in later]
            self._memory.watch()
            try:
                pictures = self._pictures(group, _progress(group, waiting, report))
            except EngineError as error:
                yield from (failure(error, work.request.id) for work in group)
            else:
                for work, picture in zip(group, pictures, strict=True):
                    yield self._finish(work, picture)

    def _work(self, request: Request) -> Work:
        """`request`, checked, with its pictures read. Raises `EngineError`."""
        portable.check_request(request, self._model.settings)
        task = start.task_of(request)
        taker = self._model.taker(task)
        # Before any picture is read: what can never work costs nothing.
        call.arguments(request, taker)
        return Work(request, task, taker, None if task is Task.TEXT else start.read(request))

    def _pictures(self, group: list[Work], progress: Progress) -> list[Drawn]:
        """The pictures of `group`, in its order."""
        first, taker = group[0].request, group[0].taker
        parameters = first.parameters
        model = self._model
        model.use_t5(parameters.get("text_encoder_3"))
        model.take_up(group[0].task)
        model.schedule(parameters.get("scheduler"), parameters.get("shift"))
        arguments = call.arguments(first, taker) | _starts(group)
        if first.negative:
            arguments["negative_prompt"] = [work.request.negative for work in group]
        if "callback_on_step_end" in taker.takes:
            arguments["callback_on_step_end"] = progress
        # On a GPU sums depend on the batch in more places than can be taken apart: who sets `batch` there
        # has chosen speed, and the environment says so.
        alone = exact.Alone(model.settings) if model.settings.device == "cpu" else nullcontext()
        try:
            with room(model.settings), alone, exact.stray_noise(first.seed or 0) as strayed:
                drawn = model.pipeline(
                    prompt=[work.request.prompt for work in group],
                    generator=exact.generators(work.request.seed or 0 for work in group),
                    output_type="np",
                    **arguments,
                )
        except ValueError as error:
            # How every pipeline says that its arguments don't fit it.
            raise EngineError(
                ErrorKind.BAD_REQUEST,
                f"`{taker.pipeline}` refused the request: {error}",
                hint="mend the engine's parameters or the asset's size",
            ) from error
        if len(group) > 1 and strayed():
            return [picture for work in group for picture in self._pictures([work], progress)]
        unsafe = getattr(drawn, "nsfw_content_detected", None) or [False] * len(group)
        return [Drawn(*pair) for pair in zip(np.asarray(drawn.images), unsafe, strict=True)]

    def _finish(self, work: Work, picture: Drawn) -> Result:
        request = work.request
        try:
            pixels = _pixels(request, picture)
        except EngineError as error:
            return failure(error, request.id)
        if work.start is not None:
            pixels = work.start.keep(pixels)
        (self._staging / request.output).write_bytes(png.encode(pixels))
        return Done(
            id=request.id,
            output=request.output,
            notes=self._notes(work),
            device_bytes=self._memory.most(),
        )

    def _notes(self, work: Work) -> tuple[str, ...]:
        request = work.request
        tokenizers = self._model.tokenizers()
        limit = request.parameters.get("max_sequence_length")
        limit = limit or work.taker.defaults.get("max_sequence_length")
        return (
            *words.cut(tokenizers, request.prompt, "prompt", limit),
            *words.cut(tokenizers, request.negative, "negative prompt", limit),
            *(work.start.notes if work.start is not None else ()),
        )


def _starts(group: list[Work]) -> dict[str, list[Image.Image]]:
    """The pictures that `group` starts from, as arguments of the call."""
    starts = [work.start for work in group if work.start is not None]
    masks = [one.mask for one in starts if one.mask is not None]
    return {
        name: pictures
        for name, pictures in (("image", [one.image for one in starts]), ("mask_image", masks))
        if pictures
    }


def _groups(families: Iterable[list[Work]], size: int) -> Iterator[list[Work]]:
    """At most `size` kin at a time."""
    for family in families:
        for begin in range(0, len(family), size):
            yield family[begin : begin + size]


def _progress(group: list[Work], waiting: list[Request], report: Report) -> Progress:
    """What diffusers calls after each step of `group`."""

    def step_end(pipeline: Any, step: int, _time: Any, tensors: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401
        steps = max(int(pipeline.num_timesteps), step + 1)
        for work in group:
            report(work.request.id, step + 1, steps)
        for request in waiting:
            # Step 0: still in the queue, which must not pass for a hang.
            report(request.id, 0, int(request.parameters["steps"]))
        return tensors

    return step_end


def _pixels(request: Request, drawn: Drawn) -> png.Pixels:
    """`drawn` in 8 bits. Raises `EngineError` where it is not a picture of the size asked for."""
    picture = drawn.values
    if drawn.unsafe:
        raise EngineError(
            ErrorKind.REFUSED,
            "the model's safety checker blacked the picture out",
            hint="change the prompt or the seed",
        )
    assert request.size is not None  # noqa: S101 - `call.arguments` has checked it
    width, height = request.size
    if picture.shape != (height, width, 3):
        got = "x".join(str(part) for part in (picture.shape[1], picture.shape[0], *picture.shape[2:]))
        raise EngineError(
            ErrorKind.BAD_REQUEST,
            f"the pipeline drew `{got}` instead of `{width}x{height}x3`",
            hint="choose a size that is a multiple of 32 or 64",
        )
    if not np.isfinite(picture).all():
        raise EngineError(
            ErrorKind.INTERNAL,
            "the picture overflowed: some of its values are not numbers",
            hint='set the engine\'s `dtype` to `"bfloat16"` or `"float32"`',
        )
    return (picture * 255).round().astype(np.uint8)
