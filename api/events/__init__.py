"""Live events: what changed about which order, from PostgreSQL's notifications to the streams of the clients."""
