"""The connection to PostgreSQL: engine, sessions and liveness."""
