"""The routes of the facade, one noun a module."""
