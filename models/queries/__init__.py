"""Queries as values: the caller that has the session runs them. Writes that must be guarded carry their guard."""
