"""The build system: manifest, plan, make, lock, review.

Nothing here imports torch, a provider's SDK, or an adapter: pixels are the engines' business.
"""

__version__ = "0.1.0"
