"""The manifest: `assets.toml`, parsed, checked and expanded into values."""
