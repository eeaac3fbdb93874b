"""The host stand: what browsers are served and told."""
