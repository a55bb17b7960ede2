"""How the `sprite` engine's model is made: its pictures, its training, its trials.

Not shipped: `engines/sprite` holds what draws. `python -m training.sprite` says what can be run.
"""
