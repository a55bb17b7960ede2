"""The audit: what ships, and for each picture who, when, with what, from what, and under which licence.

Nothing is claimed here that the lock, git, the store or a card does not say; what nobody knows is called
unknown.
"""
