"""Pictures that are the same on every CPU with AVX2: what pins the libraries to it, and what rules it out.

Knows nothing of torch: the variables are set before it is loaded. What was measured is in
`docs/engine-diffusion.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from engines.diffusion.settings import Settings
from engines.protocol import EngineError, ErrorKind, Json, Request

PARAMETER: Final = "portable"

PINS: Final = {
    # torch's own kernels, and its convolutions.
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    # The products of matrices. `AVX2,STRICT` was refused: it gave Intel's CPUs other bits than AMD's.
    "MKL_CBWR": "COMPATIBLE",
    # numpy computes what schedulers are made of. Its older releases have other names for the same.
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR AVX512F AVX512CD AVX512_SKX",
    "OPENBLAS_CORETYPE": "Haswell",
}
"""Environment variables that hold every library of numbers to AVX2, whatever the CPU has beyond it."""

_USED: Final = "AVX2"
_NEEDED: Final = {"avx2": "AVX2", "fma3": "FMA"}
"""What the CPU must have, as torch names it and as people do. Without FMA, C's mathematics differ."""


def check(settings: Settings) -> None:
    """Raise `EngineError` (`BAD_REQUEST`) where `settings` rule out what `portable` promises."""
    for name, value, needed in (
        ("device", settings.device, "cpu"),
        ("dtype", settings.dtype, "float32"),
        ("threads", settings.threads, 1),
    ):
        if value != needed:
            raise EngineError(
                ErrorKind.BAD_REQUEST,
                f"`portable` pictures need `{name} = {_written(needed)}`, not `{_written(value)}`",
                hint=f"remove `{name}` or `portable` from the engine",
            )


def check_cpu(found: Mapping[str, Json], used: str) -> None:
    """Raise `EngineError` where the CPU can't do it (`MISSING`), or where torch makes use of more.

    Args:
        found: what the CPU has, by torch's names.
        used: what torch's kernels make use of.
    """
    lacking = [told for name, told in _NEEDED.items() if not found.get(name)]
    if lacking:
        raise EngineError(
            ErrorKind.MISSING,
            "`portable` pictures need an x86-64 CPU with AVX2 and FMA; "
            f"this one has no {' and no '.join(lacking)}",
            hint="build on another machine, or remove `portable` from the engine: other pictures",
        )
    if used != _USED:
        # Where torch was there before its variables were. A builder's process never has it.
        fact = f"torch computes with `{used}`, though `portable` holds it to `{_USED}`"
        raise EngineError(ErrorKind.INTERNAL, fact, hint="load the engine in a process of its own")


def check_request(request: Request, settings: Settings) -> None:
    """Raise `EngineError` where `request` and this process are not both portable, or both not.

    Libraries are pinned once for a process. A wrong picture under a right recipe would be kept for ever.
    """
    wanted = bool(request.parameters.get(PARAMETER))
    if wanted != settings.portable:
        now = "is" if settings.portable else "is not"
        raise EngineError(
            ErrorKind.BAD_REQUEST,
            f"`portable` holds for a whole process, and this one {now}",
            hint="give the engine `portable`, not the asset",
        )


def _written(value: Json) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)
