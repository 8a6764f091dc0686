"""The OpenAPI document, derived: what each route may answer is read from the code behind it (ADR 0019)."""
