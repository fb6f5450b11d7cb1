"""The checker is worth its verdict: with one of these faults in the room, it complains."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from service.domain.world import Change
from service.watch.dispatcher import Dispatcher, Subscription
from service.watch.ring import Ring
from service.watch.watcher import Watcher
from tests.unit.watch.room import travel
from tests.unit.watch.test_every_watch_is_the_fold import scenario

SEEDS = 30


def verdicts() -> list[list[str]]:
    return [travel(scenario(Random(seed), past=10, future=20, clients=3)) for seed in range(SEEDS)]


def skips_at_a_gap(patch: pytest.MonkeyPatch) -> None:
    """What the ring has lost is taken for never having been."""
    patch.setattr(Ring, "covers", lambda self, position: True)


def resumes_one_too_late(patch: pytest.MonkeyPatch) -> None:
    after = Ring.after
    patch.setattr(Ring, "after", lambda self, position, limit: after(self, position + 1, limit))


def resumes_one_too_early(patch: pytest.MonkeyPatch) -> None:
    live = Watcher._live

    async def forgetful(self: Watcher) -> None:
        await live(self)
        self._position -= 1

    patch.setattr(Watcher, "_live", forgetful)


def drops_what_a_full_sink_does_not_hold(patch: pytest.MonkeyPatch) -> None:
    def send(self: Dispatcher, subscriptions: list[Subscription], frames: bytes, position: int) -> None:
        for subscription in subscriptions:
            if subscription.sink.buffered_bytes() <= self._park_at_bytes and not subscription.sink.closed():
                subscription.sink.write(frames)
                subscription.told = position

    patch.setattr(Dispatcher, "_send", send)


def marks_before_it_delivers(patch: pytest.MonkeyPatch) -> None:
    deliver = Dispatcher.deliver

    def late(self: Dispatcher, changes: list[Change]) -> None:
        if changes:
            self.tick(changes[-1].position, 1e12)
        deliver(self, changes)

    patch.setattr(Dispatcher, "deliver", late)


def test_without_a_fault_it_has_nothing_to_say() -> None:
    assert not any(verdicts())


@pytest.mark.parametrize(
    "mutant",
    [
        skips_at_a_gap,
        resumes_one_too_late,
        resumes_one_too_early,
        drops_what_a_full_sink_does_not_hold,
        marks_before_it_delivers,
    ],
    ids=lambda mutant: mutant.__name__,
)
def test_a_fault_is_found(mutant: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    mutant(monkeypatch)
    assert any(verdicts())
