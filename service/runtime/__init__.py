"""What every process of this service stands on: settings, log lines, metrics, supervised tasks and processes,
the data folder, and the embedded engines (real PostgreSQL, real nats-server).

It knows nothing of images, tags or HTTP, and imports no other room. Start reading at `tasks.py` (how a process lives
and ends) and `processes.py` (how one process owns others); `service/cli/up.py` puts all of it together.
"""
