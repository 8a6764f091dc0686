"""What touches the world; every function here may safely run twice."""
