"""The journal of a checkout: what each build did, how long it took and what it cost.

A notebook, never needed to build: it may be deleted, torn or unwritable, and a build goes on without it.
"""
