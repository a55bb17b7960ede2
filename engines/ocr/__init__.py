"""The adapter `ocr`: whether the lettering in a finished picture reads as it should."""

from engines import protocol


def load(opening: protocol.Open) -> protocol.Engine:
    """The engine, with its models loaded."""
    from engines.ocr.engine import Ocr  # noqa: PLC0415 - onnxruntime belongs to the child

    return Ocr(opening)
