"""IPTC's digital source types: words for what made a picture.

Knows nothing of who says them.
"""

from __future__ import annotations

from typing import Final

SOURCE_TYPES: Final = (
    "trainedAlgorithmicMedia",
    "compositeWithTrainedAlgorithmicMedia",
    "algorithmicMedia",
    "digitalCreation",
    "algorithmicallyEnhanced",
    "dataDrivenMedia",
    "virtualRecording",
    "screenCapture",
    "composite",
    "compositeCapture",
    "compositeSynthetic",
    "computationalCapture",
    "digitalCapture",
    "negativeFilm",
    "positiveFilm",
    "print",
    "humanEdits",
)
"""IPTC's digital source types (vocabulary of 2024-10-23), without those that it retired."""
