"""Bytes and objects: routing, negotiation, options, patch types, tables, discovery, OpenAPI, health, and errors.

May not enter: SQL, events, and what an image stream is. `status.py` alone knows which error has which status code.
Start with `request_info.py` (what a request is about), then `negotiation.py` and `options.py`.
"""
