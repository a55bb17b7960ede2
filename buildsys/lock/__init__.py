"""The lock: schema, one reader, one canonical writer."""
