"""The event log in PostgreSQL: the only truth. Everything else is rebuilt from it.

Append (`appender.py`: many writers, one transaction), read (`reader.py`, `head.py`), and the storage form of events
(`records.py`, `codec.py`). `position.py` says why no reader can skip an event; read it first. The schema and the one
function that appends are in schema.sql. This room knows no image and no tag, and publishes nothing (see `bus/`).
"""
