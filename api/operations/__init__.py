"""What operators and probes ask: health, metrics, figures, and whether Temporal answers."""
