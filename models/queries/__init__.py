"""Queries as values: whoever has the session runs them. Writes that must be guarded carry their guard."""
