"""The present in memory, and everybody who watches it: cache, fan-out, resume.

Every process holds one `Cache` fed by one follower of the log. `Hub` ties it to the watchers: a change is folded once,
encoded once per form, and the same bytes are written to every transport. Start with `hub.py`, then `watcher.py`.
May not enter: HTTP requests and responses, SQL, and what an object looks like on the wire (encoders are handed in).
"""
