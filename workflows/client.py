"""What a front end needs of the workflows: to start an order."""

from activities.starting import OrderStart, start_order

__all__ = ["OrderStart", "start_order"]
