"""Pictures that something else made, as assets: what they say, and the manifest's words for it."""
