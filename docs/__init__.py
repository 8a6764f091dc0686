"""The documentation, and what writes the parts of it that are derived from the code."""
