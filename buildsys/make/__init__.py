"""Making: engine processes, actions and the doit loop."""
