"""The cart: filled, looked at and ordered."""
