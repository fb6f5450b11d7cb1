"""/healthz, /livez, /readyz: is this process alive, and is it ready to serve.

    ?verbose        names every check        ?exclude=⟨check⟩   skips one, as often as given
    /readyz/⟨check⟩  one check alone          /healthz/ready, …/etcd   what OpenShift's probes and monitors ask

Keeps: checks run at once and each within CHECK_TIMEOUT_S; a check that takes longer has failed. Why one failed is
not told on the open paths, only on the check's own, which needs a grant. Source: spec: kube-api 1.5.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec

from service.domain.errors import TagHistoryError
from service.http.answer import Answer, text_answer
from service.http.documents import DocumentRequest
from service.runtime.logs import get_logger

CHECK_TIMEOUT_S = 2.0
ALIASES = {"/healthz/ready": "/readyz", "/healthz/etcd": "/readyz/log", "/readyz/etcd": "/readyz/log"}
"""Paths that monitors know: under the name of etcd they learn of our store, which is the log."""

log = get_logger("health")


class Unhealthy(Exception):
    """What a check raises; its text is shown to those who may ask for the check alone."""


class Check(msgspec.Struct, frozen=True):
    name: str
    run: Callable[[], Awaitable[None]]
    """Raises Unhealthy."""


async def always_healthy() -> None:
    """The check `ping`: that we answer at all."""


PING = Check("ping", always_healthy)


class Health:
    def __init__(self, checks: Mapping[str, Sequence[Check]], check_timeout_s: float = CHECK_TIMEOUT_S) -> None:
        """`checks` by endpoint, e.g. {"/readyz": [PING, …]}; in the order verbose answers name them."""
        self._checks = checks
        self._check_timeout_s = check_timeout_s

    @property
    def paths(self) -> list[str]:
        return [
            path
            for endpoint, checks in self._checks.items()
            for path in (endpoint, *(f"{endpoint}/{c.name}" for c in checks))
        ]

    async def answer(self, request: DocumentRequest) -> Answer | None:
        route = ALIASES.get(request.route, request.route)
        if route in self._checks:
            return await self._all(route, request)
        endpoint, _, name = route.lstrip("/").partition("/")
        for check in self._checks.get(f"/{endpoint}", ()):
            if check.name == name:
                return await self._one(check)
        return None

    async def _one(self, check: Check) -> Answer:
        problem = await self._problem(check)
        if problem is not None:
            return text_answer(500, f"internal server error: {problem}\n")
        return text_answer(200, "ok", nosniff=False)

    async def _all(self, endpoint: str, request: DocumentRequest) -> Answer:
        excluded = dict.fromkeys(request.query.get("exclude", []))
        checks = self._checks[endpoint]
        to_run = [check for check in checks if check.name not in excluded]
        async with asyncio.TaskGroup() as group:
            running = {c: group.create_task(self._problem(c), name=f"health check {c.name}") for c in to_run}
        problems = {check: task.result() for check, task in running.items()}
        lines = [_line(check, problems) for check in checks]
        unknown = [name for name in excluded if name not in {check.name for check in checks}]
        if unknown:
            named = ", ".join(f'"{name}"' for name in sorted(unknown))
            lines.append(f"warn: some health checks cannot be excluded: no matches for {named}")
        told = "\n".join(lines)
        name = endpoint.lstrip("/")
        if any(problem is not None for problem in problems.values()):
            return text_answer(500, f"{told}\n{name} check failed\n")
        return text_answer(200, f"{told}\n{name} check passed\n" if "verbose" in request.query else "ok")

    async def _problem(self, check: Check) -> str | None:
        try:
            async with asyncio.timeout(self._check_timeout_s):
                await check.run()
        except (Unhealthy, TagHistoryError) as unhealthy:
            return str(unhealthy)
        except TimeoutError:
            return f"no answer within {self._check_timeout_s} s"
        except Exception:
            # A check that breaks is a check that failed, and must not end the others.
            log.exception("health check broke", check=check.name)
            return "the check itself failed"
        return None


def _line(check: Check, problems: Mapping[Check, str | None]) -> str:
    if check not in problems:
        return f"[+]{check.name} excluded: ok"
    return f"[+]{check.name} ok" if problems[check] is None else f"[-]{check.name} failed: reason withheld"
