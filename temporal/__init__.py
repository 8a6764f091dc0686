"""The client side of Temporal: starting and commanding workflows, schedules, the outbox, backlogs and data conversion.

The names that workflows share with their callers (workflow types, ids, task queues, updates and signals) are not here
but in `models.messages`: workflows import no client code.
"""
