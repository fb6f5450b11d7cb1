"""The daemons that fold the log into the views of PostgreSQL (schema.sql, part 2).

A projection reads the log and its own tables, nothing else; so it can be thrown away and rebuilt. Keeps: rows and
checkpoint move in one transaction, a row is never half an event, and an event that cannot be folded stops its
projection and is never skipped. Start with `projection.py` (the shape), then `imagestreams.py`, then `runner.py`.
May not enter: anything that serves requests. Readers of the views live in `service/reads/` and only share the tables.
"""
