"""Measurements that are claimed somewhere; each prints what it compares to."""
