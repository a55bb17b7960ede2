"""The review of art: what changed between two revisions, measured, explained, and shown."""
