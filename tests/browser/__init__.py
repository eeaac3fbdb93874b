"""The host stand in a real browser: real Home Assistant, real CoAP, a simulated transmitter."""
