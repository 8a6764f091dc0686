"""The dev stack: the real PostgreSQL, Temporal, worker and API under one supervisor."""
