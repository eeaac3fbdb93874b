"""Keeps up with one transmitter. No Home Assistant in here."""
