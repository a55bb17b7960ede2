"""What makes git know of artlock: a hook, attributes of files, and settings of one clone."""
