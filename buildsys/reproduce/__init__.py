"""Reproducing: an asset made again from its lock entry alone, and held against it.

`past` is the project at another revision, `held` where locked bytes are, `run` makes and `distance`
measures, `verdict` judges, `model` is what comes out.
"""
