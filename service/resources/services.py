"""What the resources work with: current states, the executor of commands, stored payloads, the configuration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

from service.auth.authorization import Authorizer
from service.auth.rbac_index import Attributes
from service.auth.reloading import Current, Fixed
from service.auth.users import User
from service.commands.execute import Executor, State
from service.domain.image_policy import ImagePolicy
from service.domain.served import Registry
from service.domain.tag_resolution import Surroundings
from service.resources.resource import Call
from service.secretstore.store import SecretStore


class Payloads(Protocol):
    async def payload(self, digest: str) -> bytes | None:
        """The bytes stored under this digest."""


class Services(msgspec.Struct, frozen=True):
    state: State
    executor: Executor
    payloads: Payloads
    authorizer: Authorizer
    registry: Registry
    secrets: SecretStore
    image_policy: Current[ImagePolicy] = Fixed(ImagePolicy())
    import_mode: str = "Legacy"

    def surroundings(self, call: Call) -> Surroundings:
        return Surroundings(call.now, self.registry, self.state.stream, self._may_pull(call.user), self.policy)

    @property
    def policy(self) -> ImagePolicy:
        """As it is now: its file may change at any time."""
        return self.image_policy.value

    def _may_pull(self, user: User) -> Callable[[str, str], bool]:
        def may_pull(namespace: str, name: str) -> bool:
            asked = Attributes("get", "image.openshift.io", "imagestreams", "layers", namespace, name)
            return self.authorizer.authorize(user, asked).allowed

        return may_pull


async def await_version(state: State, resource_version: str) -> None:
    """Bring the state to where a read wants it: the head (""), as it is ("0"), or at least a position."""
    if resource_version == "":
        await state.fresh()
    elif resource_version != "0":
        await state.wait_for(int(resource_version))
