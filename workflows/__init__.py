"""What happens in which order: deterministic Temporal workflows, and the workers that run them."""
