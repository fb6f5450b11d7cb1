"""The rules, pure: events, the states they fold into, what commands decide, names, validation, errors.

May not enter: I/O, clocks, asyncio, SQL, HTTP, and anything that knows how an event is stored or carried.
Start with `events.py`, then `imagestream.py` (fold) and `served.py` (what clients see of a state).
"""
