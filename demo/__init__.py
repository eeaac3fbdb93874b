"""A real Home Assistant with this integration and a simulated transmitter, on this machine.

__main__        scripts/demo: starts both, adds the transmitter, shows and checks the sensors
home_assistant  one Home Assistant process, driven as a user does
"""
