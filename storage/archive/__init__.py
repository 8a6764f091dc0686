"""Archives as byte streams: read once, sealed, and streamed from their source files."""
