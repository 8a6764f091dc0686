"""The catalogue over HTTP: products, their objects and files, and the STAC API."""
