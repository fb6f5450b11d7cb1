"""What a run of the checker is: how long, how many of each, and on which few names everybody meets.

Keeps: the names are few, so that writers collide and objects go and come again; some are each other's prefixes, so that
wrong key ranges show. One seed makes all choices; what the machine makes of them in time differs from run to run.
"""

from __future__ import annotations

from random import Random

import msgspec

NAMESPACES = ("blue", "green", "green-2")
STREAMS = ("api", "api-1", "web", "worker")
TAGS = ("latest", "v1", "v1.1", "v2", "edge")
TIERS = ("front", "back")
"""Values of the label `tier`, which comes and goes."""

NO_IMAGE = f"sha256:{'0' * 64}"
KNOWN_IMAGES = 40
"""How many of the images that anybody pushed are of interest, the newest."""

REGISTRY_HOSTNAME = "registry.faults.svc:5000"
"""Makes the repository of every stream part of what is compared."""


class Plan(msgspec.Struct, frozen=True):
    seed: int = 1
    seconds: float = 60.0
    """How long writers write and things break; finding quiet, comparing and rebuilding come on top."""
    writers: int = 8
    watchers: int = 40
    readers: int = 4
    workers: int = 2
    """API processes."""
    calm_s: tuple[float, float] = (1.0, 4.0)
    """The least and the longest time between one fault, healed, and the next."""

    def random(self, actor: str) -> Random:
        """The choices of one actor, whatever the others do."""
        return Random(f"{self.seed}/{actor}")


def weighted(random: Random, choices: dict[str, int]) -> str:
    return random.choices(list(choices), list(choices.values()))[0]
