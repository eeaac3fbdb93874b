"""What is known of sessions. No Home Assistant in here."""
