"""The dev stack's identity provider: a few people and no passwords, for this machine only."""
