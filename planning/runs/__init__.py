"""A run's life: start, execute, progress, stop, write back, reconcile."""
