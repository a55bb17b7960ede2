"""A pipeline's folder: where it lies, and whether it is safe and whole.

Only safetensors are weights here, and no code that comes with a model ever runs. Knows nothing of torch.
"""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engines.diffusion import missing, weights
from engines.protocol import EngineError, ErrorKind, Json

_HUB: Final = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")
_NO_WEIGHTS: Final = ("Tokenizer", "TokenizerFast", "Scheduler", "Processor", "FeatureExtractor")
_LIBRARIES: Final = ("diffusers", "transformers")
T5: Final = ("text_encoder_3", "tokenizer_3")
"""Components that a recipe may leave out, and that are therefore loaded only when one wants them."""


@dataclass(frozen=True, slots=True)
class Source:
    """A pipeline's folder and what its `model_index.json` says."""

    path: Path
    model: str
    """As the manifest names it."""
    revision: str
    """Commit in the Hub; empty for a local folder."""
    cache: str
    pipeline: str
    """Name of the pipeline's class."""
    components: Mapping[str, str]
    """Component to class name, those that are there."""
    libraries: Mapping[str, str]
    """Component to the library of its class."""
    absent: tuple[str, ...]
    """Components that the model was saved without."""

    @property
    def name(self) -> str:
        """For messages: the model, and its commit where it has one."""
        return f"`{self.model}` at `{self.revision}`" if self.revision else f"`{self.model}`"


def find(model: str, revision: str, cache: str) -> Source:
    """The folder of `model`, read and free of code. Raises `EngineError` where there is none, or it has."""
    path, revision = _locate(model, revision, cache)
    index = _index(path, model)
    class_name = index["_class_name"]
    if not isinstance(class_name, str):
        raise _code(model, f"its `model_index.json` names a pipeline class of its own: `{class_name}`")
    entries = {name: entry for name, entry in index.items() if _is_component(name, entry)}
    for name, (library, component) in entries.items():
        if component is not None and not _is_known(library):
            raise _code(model, f"`{name}` is a class of `{library}`")
    source = Source(
        path=path,
        model=model,
        revision=revision,
        cache=cache,
        pipeline=class_name,
        components={name: str(entry[1]) for name, entry in entries.items() if entry[1] is not None},
        libraries={name: str(entry[0]) for name, entry in entries.items() if entry[1] is not None},
        absent=tuple(name for name, entry in entries.items() if entry[1] is None),
    )
    _refuse_code(source)
    return source


def classes(source: Source) -> Iterator[tuple[str, str]]:
    """Library and name of the classes that loading `source` needs, but those private to a pipeline."""
    yield "diffusers", source.pipeline
    for name, library in source.libraries.items():
        if library in _LIBRARIES:
            yield library, source.components[name]


def check(source: Source) -> None:
    """Raise `EngineError` unless every component but the T5 has its files, as safetensors."""
    for name in source.components:
        if name not in T5:
            check_component(source, name)


def check_component(source: Source, name: str) -> None:
    """Raise `EngineError` unless component `name` has its files, as safetensors."""
    place = source.path / name
    if not place.is_dir():
        raise missing.files(source.model, source.revision, source.cache, name)
    if source.components[name].endswith(_NO_WEIGHTS):
        return
    found = weights.files(place)
    if not found and (pickled := weights.pickles(place)):
        raise EngineError(
            ErrorKind.BAD_REQUEST,
            f"`{name}/{pickled[0].name}` of {source.name} is a pickle: loading it can run any code",
            hint="use a version of the model that is saved as safetensors",
        )
    if not found:
        raise missing.files(source.model, source.revision, source.cache, name)
    for file in found:
        if damage := weights.damage(file):
            raise EngineError(
                ErrorKind.MISSING,
                f"`{name}/{file.name}` of {source.name} is damaged: {damage}",
                hint="delete it and fetch the model again",
            )


def _locate(model: str, revision: str, cache: str) -> tuple[Path, str]:
    if Path(model).is_absolute():
        if not Path(model).is_dir():
            raise EngineError(
                ErrorKind.MISSING,
                f"the model folder `{model}` is not there",
                hint="mend the engine's `model`",
            )
        return Path(model), ""
    if not _HUB.fullmatch(model):
        raise EngineError(
            ErrorKind.BAD_REQUEST,
            f"`{model}` is neither a folder nor a model of the Hugging Face Hub",
            hint="write `owner/name`, or the path of a folder that holds a `model_index.json`",
        )
    if not _COMMIT.fullmatch(revision):
        what = f"`{revision}` can move" if revision else "it names no revision"
        raise EngineError(
            ErrorKind.BAD_REQUEST,
            f"`{model}` is not pinned: {what}",
            hint="set `revision` to the model's full commit: 40 hexadecimal digits, from its `History` page",
        )
    return missing.snapshot(model, revision, cache), revision


def _index(path: Path, model: str) -> dict[str, Json]:
    try:
        index = json.loads((path / "model_index.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise EngineError(
            ErrorKind.BAD_REQUEST,
            f"`{model}` is not a diffusers pipeline: it has no `model_index.json`",
            hint="use the model's diffusers version; a single checkpoint file has to be converted first",
        ) from None
    except ValueError as error:
        raise EngineError(
            ErrorKind.BAD_REQUEST,
            f"`model_index.json` of `{model}` is not JSON: {error}",
            hint="fetch the model again",
        ) from error
    if not isinstance(index, dict) or "_class_name" not in index:
        raise EngineError(
            ErrorKind.BAD_REQUEST,
            f"`model_index.json` of `{model}` names no pipeline",
            hint="fetch the model again",
        )
    return index


def _is_component(name: str, entry: Json) -> bool:
    """Whether `entry` is a pair of library and class; the index also holds options of the pipeline."""
    pair = isinstance(entry, list) and len(entry) == 2  # noqa: PLR2004 - library and class
    return pair and not name.startswith("_") and all(part is None or isinstance(part, str) for part in entry)


def _is_known(library: str) -> bool:
    """Whether classes of `library` are diffusers' own, those of one of its pipelines, or transformers'."""
    if library in _LIBRARIES:
        return True
    package = importlib.util.find_spec("diffusers")  # finds it without the seconds that importing it takes
    places = package.submodule_search_locations if package is not None else None
    return library.isidentifier() and any(
        Path(place, "pipelines", library).is_dir() for place in places or ()
    )


def _refuse_code(source: Source) -> None:
    """Refuse Python files and `auto_map`: they would never run, but then the model is not what it says."""
    for place in (source.path, *(source.path / name for name in source.components)):
        for file in sorted(place.glob("*.py")):
            raise _code(source.model, f"it holds `{file.relative_to(source.path)}`")
        config = place / "config.json"
        if config.is_file() and '"auto_map"' in config.read_text(encoding="utf-8", errors="replace"):
            raise _code(source.model, f"`{config.relative_to(source.path)}` asks for it with `auto_map`")


def _code(model: str, why: str) -> EngineError:
    return EngineError(
        ErrorKind.BAD_REQUEST,
        f"`{model}` wants to run code of its own, which artlock never does: {why}",
        hint="use a model whose classes are all in diffusers and transformers",
    )
