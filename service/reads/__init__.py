"""Reads of the past: states and lists as they were at any position, from the tables that the projections own.

Start with `snapshot.py`; the queries are in `streams.py`, `tags.py` and `images.py`. Keeps: nothing is written here, a
query never walks over versions that it does not return, and every page is bounded.
May not enter: HTTP, what clients see of a state (`domain/served.py`), and `projections`, whose tables these are.
"""
