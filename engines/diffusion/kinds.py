"""Pipelines as classes of diffusers: what their calls take, and which one does another task.

Knows nothing of devices or pictures.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Mapping
from typing import Any, Final

import diffusers

from engines.diffusion.call import Taker
from engines.diffusion.folder import Source
from engines.diffusion.start import Task
from engines.protocol import EngineError, ErrorKind

_DRAWS: Final = frozenset({"prompt", "width", "height", "num_inference_steps", "generator"})
"""Call arguments without which a pipeline is not one that draws from text."""
_STARTS: Final = {
    Task.IMAGE: frozenset({"prompt", "image", "strength", "num_inference_steps", "generator"}),
    Task.MASK: frozenset({"prompt", "image", "mask_image", "strength", "num_inference_steps", "generator"}),
}
"""Those without which one does not start from a picture."""
_FINDERS: Final = {Task.IMAGE: "AutoPipelineForImage2Image", Task.MASK: "AutoPipelineForInpainting"}
"""Where diffusers knows which pipeline of a family does a task. Named, because importing one of them
imports every family: seconds that a build without such a request does not spend."""


def check(source: Source) -> None:
    """Raise `EngineError` unless the pipeline of `source` is one that draws from text."""
    kind = getattr(diffusers, source.pipeline, None)
    if not (isinstance(kind, type) and issubclass(kind, diffusers.DiffusionPipeline)):
        raise EngineError(
            ErrorKind.BAD_REQUEST,
            f"{source.name} needs a `{source.pipeline}`, which diffusers {diffusers.__version__} lacks",
            hint="update diffusers, or use a model made for this version",
        )
    if lacks := sorted(_DRAWS - set(_call(kind))):
        raise EngineError(
            ErrorKind.BAD_REQUEST,
            f"`{source.pipeline}` does not draw from text: its call takes no `{lacks[0]}`",
            hint="use a text-to-image pipeline",
        )


def taker(pipeline: Any) -> Taker:  # noqa: ANN401 - one of diffusers' untyped pipelines
    """What a call of `pipeline` takes."""
    taken = _call(type(pipeline))
    defaults = {
        name: item.default for name, item in taken.items() if item.default is not inspect.Parameter.empty
    }
    return Taker(type(pipeline).__name__, frozenset(taken), defaults)


def beside(pipeline: Any, task: Task) -> Any:  # noqa: ANN401 - as above
    """The pipeline of the same family for `task`, with the components of `pipeline`: nothing is loaded.

    Raises `EngineError` where diffusers has none, or one that takes no `strength`.
    """
    name = type(pipeline).__name__
    # Not `DiffusionPipeline.from_pipe`, which converts what is shared to one number format.
    with warnings.catch_warnings():
        # It imports families that nobody asked for, and some of them use what torch has deprecated.
        warnings.simplefilter("ignore", DeprecationWarning)
        finder: Any = getattr(diffusers, _FINDERS[task])
    try:
        found = finder.from_pipe(pipeline)
    except ValueError as error:
        raise _no_such(name, task) from error
    if _STARTS[task] - set(_call(type(found))):
        raise _no_such(name, task)
    return quiet(found)


def quiet(pipeline: Any) -> Any:  # noqa: ANN401 - as above
    """`pipeline`, without what it would add of its own: bars on standard error, a mark in its pictures."""
    pipeline.set_progress_bar_config(disable=True)
    if hasattr(pipeline, "watermark"):
        # Stable Diffusion XL marks its pictures if a certain package happens to be installed.
        pipeline.watermark = None
    return pipeline


def _no_such(name: str, task: Task) -> EngineError:
    given = "image" if task is Task.IMAGE else "mask"
    return EngineError(
        ErrorKind.BAD_REQUEST,
        f"diffusers {diffusers.__version__} has no {task} for `{name}`, so it takes no `{given}`",
        hint="use an engine with another model, such as Stable Diffusion 3.5",
    )


def _call(kind: Any) -> Mapping[str, inspect.Parameter]:  # noqa: ANN401 - as above
    return inspect.signature(kind.__call__).parameters
