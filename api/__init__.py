"""The HTTP facade: reads PostgreSQL, commands through Temporal."""
