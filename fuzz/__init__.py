"""The fuzzer, which `scripts/fuzz` runs."""
