"""What the numbers were measured on, and what a process or a folder takes of it."""

from __future__ import annotations

import os
import platform
import time
from importlib.metadata import version
from pathlib import Path

from service.bench.samples import latency_of

SYNC_SAMPLES = 200
SYNC_BYTES = 4096
MIB = 1024 * 1024


def machine(folder: Path) -> dict[str, str]:
    """A description for the head of the report. Writes to the folder to see how long its disk takes to be sure."""
    return {
        "cores": f"{len(os.sched_getaffinity(0))}, shared by clients, API, projections, PostgreSQL and NATS",
        "processor": _processor(),
        "busy before": f"{os.getloadavg()[0]:.1f} processes (load average of the last minute)",
        "python": f"{platform.python_version()}, aiohttp {version('aiohttp')}, uvloop {version('uvloop')}",
        "fdatasync": f"{_sync_p50_ms(folder):.2f} ms (p50 of a {SYNC_BYTES} byte write)",
    }


def cpu_s(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def folder_bytes(folder: Path) -> int:
    """What the files take on disk."""
    return sum(file.stat().st_blocks * 512 for file in folder.rglob("*") if file.is_file())


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _sync_p50_ms(folder: Path) -> float:
    times_s = []
    path = folder / "sync"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        for _ in range(SYNC_SAMPLES):
            os.write(descriptor, bytes(SYNC_BYTES))
            begin = time.perf_counter()
            os.fdatasync(descriptor)
            times_s.append(time.perf_counter() - begin)
    finally:
        os.close(descriptor)
        path.unlink()
    return latency_of(times_s).p50_ms
