"""How fast, how small and how quiet it is, against what else there is: ``scripts/bench``.

Everything is a ratio, taken side by side in the same run: ours, theirs, ours, theirs. A slow or
busy machine then hurts both alike. Nothing is asserted; a goal that is missed is printed as missed.

    fetch     1, 2   the history over the network, also a bad one
    traffic   3, 4   what an idle poll, and a day of service, cost on the wire
    latency   5      from a message to the state
    memory    6-8    merging, saving and holding sessions
    start     9, 10  set-up, the event loop, and many transmitters
    quote     11     how long the wait is
    stand     12-15  the host stand in a browser

    measure   rows, pairs, medians
    peers     the others: aiocoap, libcoap's coap-client with jq, node-coap
    product   the integration's own functions, as benchmarks call them
    hass      a Home Assistant of the test harness; a day in seconds
    server    a raw CoAP server, no bottleneck (a process of its own)
    units     simulated transmitters (a process of their own)
    remote    how those are started and told things
    bodies    what transmitters hold
    stand.js  what finds guests' rows in a page, and tells when they are drawn
"""
