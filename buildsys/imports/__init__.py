"""Pictures that something else made, as assets: what they say of themselves, and the manifest's words for it."""
