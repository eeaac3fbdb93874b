"""A chain of three restaurants, whose figures a head office reads in four servers.

Files, each building on those before it:

    figures      what is asked for, and the answer of a restaurant's ledger
    page         the configuration, which is read from docs/chain.md
    server       one server program of Debian's, on loopback
    prometheus, influxdb, mosquitto, postgresql
                 how each is set up, asked, and what it holds
    restaurant   a simulated transmitter with guests, and a real Home Assistant
    evening      one run: time, what has to be equal, what can't be told right
    __main__     the command line, and the report

How an evening becomes minutes. All restaurants go by one wall clock (soak/clock.py), which is set
ahead by some seconds several times a second; no timer and no time-out is any faster. So the
servers that stamp what they are told by their own clock, Prometheus alone, see few moments of the
evening; and the recorder's own statistics, which it makes every five minutes, are not compared.

What is real: the servers, as Debian packages them, with passwords and what each restaurant may do;
Home Assistant, its integrations and restarts; each datagram. What is not: the guests and the
transmitter, the network, which is this computer's, and its encryption, of which there is none.
"""
