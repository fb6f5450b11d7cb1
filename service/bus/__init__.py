"""JetStream as the carrier of the log: whoever follows the log hears of events within a millisecond or so.

The relay (`relay.py`) copies the log into one stream whose sequence is the position (`stream.py`, `subjects.py`,
`envelope.py`); a follower (`follower.py`) hands the log on, in order and without gaps, whatever NATS does. NATS is
never the truth: what it loses, delays or invents is healed from PostgreSQL (`eventstore/`). Connections, which come
and go, are in `connection.py`.
"""
