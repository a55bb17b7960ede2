"""The content-addressed store and the action cache.

Loads nothing by itself: a hook before a commit only asks where the store would lie.
"""
