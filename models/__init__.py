"""What an order is: rules first, then messages, tables and queries."""
