"""The client side of Temporal: starting and commanding workflows, the outbox, queues and data conversion."""
