"""Comparing engines: the same prompt and seed on each, made outside the manifest, and measured.

`subject` is what is drawn, `run` draws and measures it, `sheet` and `page` show it.
"""
