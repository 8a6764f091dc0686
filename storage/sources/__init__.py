"""Sources of files: the protocol, its implementations and the registry that finds the one for a location."""
