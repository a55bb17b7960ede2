"""The adapters: what makes pictures, each in a process of its own.

Nothing here knows `buildsys`; both sides know only `engines.protocol`.
"""
