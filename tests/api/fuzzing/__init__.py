"""The whole API against its own document: schemathesis makes up requests, good and bad, and judges the answers."""
