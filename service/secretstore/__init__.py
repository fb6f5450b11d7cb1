"""Secrets: kept in PostgreSQL alone, sealed before they get there, opened after they come back.

Keeps: nothing of a secret but its namespace, name, uid and version is ever stored, logged or told in an error as plain
text; no secret is in an event, so none is in NATS, in a view or in a cache. One writer of the tables: `store.py`.
Elsewhere: what makes a secret valid (`domain/secret.py`), its verbs (`resources/secrets.py`), why (docs/adr/0012).
"""
