"""One module per API resource: its names, its verbs, and each verb's command. Nothing else.

May not enter: bytes, headers, media types, status codes. Start with `resource.py`, then any of the resources.
"""
