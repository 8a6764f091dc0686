"""One module for each sub-command; they import what is heavy inside the function that needs it."""
