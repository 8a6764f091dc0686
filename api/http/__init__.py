"""HTTP itself, whatever the feature: bodies, parameters, methods, ETags, ranges, cursors, limits, idempotency, logs."""
