"""Targets of deliveries: the protocol and its implementations."""
