"""The order of things: deterministic Temporal workflows."""
