"""Each process has a registry of its own."""

from __future__ import annotations

from prometheus_client import Counter

from service.runtime.metrics import expose, new_registry


def test_two_registries_do_not_meet() -> None:
    for count in (1, 2):
        registry = new_registry()
        Counter("events_total", "Events.", registry=registry).inc(count)
        body, content_type = expose(registry, "text/plain")
        assert f"\nevents_total {count}.0\n" in body.decode()
        assert "\nprocess_resident_memory_bytes " in body.decode()
        assert content_type == "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"


def test_openmetrics_is_spoken_to_who_asks() -> None:
    body, content_type = expose(new_registry(), "application/openmetrics-text; version=1.0.0")
    assert content_type.startswith("application/openmetrics-text")
    assert content_type.count("escaping=") == 1
    assert body.endswith(b"# EOF\n")
