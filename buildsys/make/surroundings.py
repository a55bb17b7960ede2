"""The environment variables that an engine process may see.

An allow-list: a child gets its own keys, never its neighbour's, and nothing that the shell that
started the build happened to export. Knows nothing of processes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from buildsys.manifest.cardfaults import THROUGH
from buildsys.manifest.model import Card, Engine, Json
from engines.protocol import Credit, Done, Hello

_Told = TypeVar("_Told", Hello, Done)

_NAMES: Final = frozenset(
    {
        "PATH",
        "HOME",
        "LANG",
        "TZ",
        "VIRTUAL_ENV",
        "LD_LIBRARY_PATH",
        "HF_HOME",
        "HF_HUB_CACHE",
        "XDG_CACHE_HOME",
        "NPY_DISABLE_CPU_FEATURES",
        "OPENBLAS_CORETYPE",
        "GLIBC_TUNABLES",
    }
)
_PREFIXES: Final = (
    "LC_",
    "CUDA_",
    "NVIDIA_",
    "HIP_",
    "HSA_",
    "ROCR_",
    "OMP_",
    "MKL_",
    "ATEN_",
    "ONEDNN_",
    "ARTLOCK_TEST",
)
_NETWORK: Final = frozenset(
    {
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "REQUESTS_CA_BUNDLE",
    }
)
"""Only for an adapter that declares that it goes out: a proxy's address may hold a password."""

_DEFAULTS: Final = {
    # Two OpenMP threads beside a busy process were measured up to 70 times slower than one.
    "OMP_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
    # An adapter that walks a set of strings must draw the same picture twice.
    "PYTHONHASHSEED": "0",
    # What it printed last before it died must be in the log.
    "PYTHONUNBUFFERED": "1",
    # And it must read a text file the same way in every locale.
    "PYTHONUTF8": "1",
}

_CACHES: Final = {
    "CUDA_CACHE_PATH": "cuda",
    "CUPY_CACHE_DIR": "cupy",
    "MIOPEN_CUSTOM_CACHE_DIR": "miopen",
    "MIOPEN_USER_DB_PATH": "miopen",
    "MPLCONFIGDIR": "matplotlib",
    "NUMBA_CACHE_DIR": "numba",
    "TORCHINDUCTOR_CACHE_DIR": "torchinductor",
    "TRITON_CACHE_DIR": "triton",
}
"""Where libraries keep programs that they compile and run again: what an engine could leave there for others
to run. `XDG_CACHE_HOME` and `HF_HOME` stay where they are: models are read there."""


def surroundings(
    card: Card,
    environ: Mapping[str, str],
    temporary: str,
    *,
    confined: bool = False,
    passed: Iterable[str] = (),
) -> dict[str, str]:
    """What of `environ` the adapter of `card` may see, its keys included; `TMPDIR` is `temporary`.

    A `confined` process could write none of its user's caches, so it gets its own. `passed` names what a
    person let through.
    """
    allowed = _NAMES | set(card.keys) | set(passed)
    seen = {
        name: value
        for name, value in environ.items()
        if name in allowed or name.startswith(_PREFIXES) or (card.network and name.upper() in _NETWORK)
    }
    # The keeper replaces the values of these in the log.
    keys = {"ARTLOCK_KEYS": " ".join(card.keys)} if card.keys else {}
    caches = {name: f"{temporary}/{folder}" for name, folder in _CACHES.items()} if confined else {}
    return {**_DEFAULTS, **seen, **keys, **caches, "TMPDIR": temporary}


def seen_by(engine: Engine, environ: Mapping[str, str], temporary: Path) -> dict[str, str]:
    """What of `environ` a process of `engine` may see, with what its settings let through."""
    passed = engine.settings.get(THROUGH) or ()
    return surroundings(engine.card, environ, str(temporary), confined=engine.sandbox, passed=passed)


def settings_here(card: Card, settings: Mapping[str, Json], environ: Mapping[str, str]) -> Mapping[str, Json]:
    """`settings`, where a variable that the card names for one of them is set, with its value."""
    said = {name: environ.get(item.variable, "").strip() for name, item in card.settings.items()}
    return {**settings, **{name: value for name, value in said.items() if value}}


def conceal(text: str, card: Card, environ: Mapping[str, str]) -> str:
    """`text` with the values of the adapter's keys replaced by `$NAME`: an error message is shown."""
    for name in card.keys:
        # Bare, as an adapter has it: one that was read from a file ends with a newline.
        if value := environ.get(name, "").strip():
            text = text.replace(value, f"${name}")
    return text


def concealed(message: _Told, card: Card, environ: Mapping[str, str]) -> _Told:
    """`message` without the values of the adapter's keys: what it says is kept in the lock, and shown."""
    if not card.keys:
        return message
    fields = {
        name: _concealed(getattr(message, name), lambda text: conceal(text, card, environ))
        for name in ("environment", "confined", "sent", "credits", "notes", "facts")
        if hasattr(message, name)
    }
    return dataclasses.replace(message, **fields)


def _concealed(value: Any, clean: Callable[[str], str]) -> Any:  # noqa: ANN401 - whatever JSON can carry
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return {clean(key): _concealed(item, clean) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_concealed(item, clean) for item in value)
    if isinstance(value, Credit):
        return Credit(**{item.name: clean(getattr(value, item.name)) for item in dataclasses.fields(value)})
    return value
