"""Every provider that has a stand-in."""

from __future__ import annotations

from contracts import gemini, gpt_image, ideogram, stability

ALL = (ideogram.PROVIDER, stability.PROVIDER, gemini.PROVIDER, gpt_image.PROVIDER)
