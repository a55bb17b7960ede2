"""Keeping the store in order: what belongs to somebody, what may go, what is damaged."""
