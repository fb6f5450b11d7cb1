"""`tag-history bench`: what the system does per second, beside what its parts could do at best, in one run.

    command ──▶ measures/ ──▶ workbench (engines, our roles as processes)
                    ├──────▶ load/    clients, each a process of its own
                    └──────▶ limits/  the same work without us: a bare handler, a raw commit, raw writes

Keeps: clients are real HTTP over real TLS; ours and the limit take turns within a run, on the same machine and the same
engines, with fsync on. Nothing of the service imports this room, and it drives the service by its commands only.
"""
