"""Settings and processes of an installation: the API server, the worker and their connections."""
