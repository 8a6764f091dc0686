"""What administrators say of prices."""
