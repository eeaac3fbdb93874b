"""A fortnight of service in minutes: python -m soak."""
