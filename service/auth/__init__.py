"""Who is it, and may they: bearer tokens from a file, and Kubernetes' role based access control from another.

May not enter: HTTP requests and responses (a header's text may), and anything of images beyond the names of resources
in the built-in roles. Start with `authentication.py` (who), then `authorization.py` (may they) and `rbac_index.py`.
"""
