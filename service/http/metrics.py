"""What the HTTP room counts: requests by what they ask and how they ended, and how long they took.

Keeps: labels are bounded; a verb and a resource are only named once both are known to be served. A watch is counted
when it ends, and not timed: how long it lasts is its client's choice.
"""

from __future__ import annotations

from functools import cache

from prometheus_client import CollectorRegistry, Counter, Histogram

BUCKETS_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class HttpMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        requests = Counter(
            "taghistory_http_requests",
            "Requests answered, by verb, resource and status code; verb and resource are empty for other paths.",
            ("verb", "resource", "code"),
            registry=registry,
        )
        durations = Histogram(
            "taghistory_http_request_seconds",
            "Duration of requests other than watches, by verb and resource.",
            ("verb", "resource"),
            buckets=BUCKETS_SECONDS,
            registry=registry,
        )

        @cache
        def counted(verb: str, resource: str, code: int) -> Counter:
            return requests.labels(verb, resource, str(code))

        @cache
        def timed(verb: str, resource: str) -> Histogram:
            return durations.labels(verb, resource)

        self._counted, self._timed = counted, timed

    def answered(self, verb: str, resource: str, code: int, seconds: float) -> None:
        self._counted(verb, resource, code).inc()
        if verb != "watch":
            self._timed(verb, resource).observe(seconds)
