"""What other people's judges say of the facade: of its contract, its HTTP, its STAC API and the clients made of it."""
