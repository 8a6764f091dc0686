"""The `consignor` command: the composition root."""
