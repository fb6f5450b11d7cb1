"""Which registries images may come from: the allow-list of references and imports, and the blocked sources of imports.

Keeps: pure functions of a pull spec; without a list everything is let in. An entry without a port means 443 (80 if the
registry is insecure); a reference without a port is looked up under 443, or under either where TLS is optional.
Source: spec: image-api 11.4, 9.2.3, 9.2.4.
Elsewhere: which references of an image stream are asked about (`image_policy.py`, `stream_validation.py`), and the file
that says all this (`auth/image_policy_file.py`).
"""

from __future__ import annotations

import re

import msgspec

from service.api.go_text import quote
from service.api.image_v1 import ImageStreamImport
from service.api.pull_specs import DOCKER_HUB, DOCKER_HUB_HOSTS, InvalidPullSpec, PullSpec, parse_pull_spec
from service.domain.field_errors import FieldError, forbidden

SECURE_PORT, INSECURE_PORT = "443", "80"
_HUB_SERVER = "registry-1.docker.io"
_HUB_SERVERS = DOCKER_HUB_HOSTS - {DOCKER_HUB}
_SHOWN_LIMIT = 5


class RegistryPattern(msgspec.Struct, frozen=True):
    """Host and port of registries; `*` stands for any characters, `?` for one."""

    host: str
    port: str

    @classmethod
    def parse(cls, domain_name: str, *, insecure: bool = False) -> RegistryPattern:
        """Raises ValueError if there is more than one colon."""
        host, colon, port = domain_name.partition(":")
        if ":" in port:
            raise ValueError(f"failed to parse allowed registry {quote(domain_name)}: too many colons")
        return cls(host, port if colon else (INSECURE_PORT if insecure else SECURE_PORT))

    def matches(self, host: str, port: str) -> bool:
        """No port means that the client may try TLS or not."""
        if not _matches(host, self.host):
            return False
        return _matches(port, self.port) if port else self.port in (SECURE_PORT, INSECURE_PORT, "*")

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class AllowedRegistries(msgspec.Struct, frozen=True):
    patterns: tuple[RegistryPattern, ...] = ()
    """None: every registry is allowed."""

    def refusal(self, spec: PullSpec, insecure: bool) -> str | None:
        """Why a reference is kept out, or None. `insecure`: its registry may be asked without TLS."""
        if not self.patterns:
            return None
        host, port = _open_address(spec.registry) if insecure else _address(spec.registry, SECURE_PORT)
        hosts = (DOCKER_HUB, host) if host in _HUB_SERVERS else (host,)
        if any(pattern.matches(name, port) for name in hosts for pattern in self.patterns):
            return None
        named = spec.registry or (f"{host}:{port}" if port else host)
        return f"registry {quote(named)} not allowed by whitelist: {self._listed()}"

    def import_errors(self, wanted: ImageStreamImport) -> list[FieldError]:
        """The sources of an import that are kept out. Its own rules (`import_validation.py`) come first."""
        spec, sources = wanted.spec, []
        if spec.repository is not None and spec.repository.from_.kind == "DockerImage":
            sources.append(("spec.repository", spec.repository.from_.name, spec.repository.import_policy))
        sources += [(f"spec.images[{i}]", image.from_.name, image.import_policy) for i, image in enumerate(spec.images)]
        errors = []
        for field, name, policy in sources if self.patterns else ():
            refusal = self._import_refusal(name, policy.insecure)
            if refusal is not None:
                errors.append(forbidden(f"{field}.from.name", refusal))
        return errors

    def _import_refusal(self, name: str, insecure: bool) -> str | None:
        try:
            registry = parse_pull_spec(name).registry
        except InvalidPullSpec:
            # "*", which is let through to fail later, counts as a name on Docker Hub.
            registry = ""
        named = ":".join(_address(registry, INSECURE_PORT if insecure else SECURE_PORT))
        refusal = self.refusal(PullSpec(registry=named), insecure=False)
        return f"importing images from registry {quote(named)} is forbidden: {refusal}" if refusal else None

    def _listed(self) -> str:
        every = [quote(str(pattern)) for pattern in self.patterns]
        if len(every) <= _SHOWN_LIMIT:
            return ", ".join(every)
        shown = _SHOWN_LIMIT - 1
        return f"{', '.join(every[:shown])}, and {len(every) - shown} more ..."


class RegistrySources(msgspec.Struct, frozen=True):
    """Where imports may fetch from. Hosts, with their ports if they have any, as they are typed in references."""

    blocked: frozenset[str] = frozenset()
    allowed: frozenset[str] = frozenset()
    """If there are any, every other registry is blocked."""
    insecure: frozenset[str] = frozenset()

    def refusal(self, spec: PullSpec) -> str | None:
        """Why an import must not fetch it, or None."""
        names = _names(spec.registry)
        if names & self.blocked or (self.allowed and not names & self.allowed):
            return f"registry {spec.registry or DOCKER_HUB} blocked"
        return None

    def is_insecure(self, spec: PullSpec) -> bool:
        """Whether its registry may be asked without TLS, or with a certificate that nobody knows."""
        return bool(_names(spec.registry) & self.insecure)


def repository_of(spec: PullSpec) -> str:
    """One spelling for all references to the same repository."""
    return spec.with_client_defaults().repository().exact()


def _names(registry: str) -> frozenset[str]:
    """The names a registry may be listed under: Docker Hub has several."""
    return DOCKER_HUB_HOSTS if (registry or DOCKER_HUB) in DOCKER_HUB_HOSTS else frozenset((registry,))


def _address(registry: str, default_port: str) -> tuple[str, str]:
    """(host, port) that a client asks. With several colons it is no address, and matches nothing."""
    if registry in DOCKER_HUB_HOSTS:
        registry = _HUB_SERVER
    host, colon, port = (registry or DOCKER_HUB).partition(":")
    return (host, port if colon else default_port) if ":" not in port else ("", "")


def _open_address(registry: str) -> tuple[str, str]:
    """The same for a client that may do without TLS: no port unless one is said."""
    host, _, port = registry.partition(":")
    if not port or ":" in port:
        return registry or DOCKER_HUB, ""
    return host or DOCKER_HUB, port


def _matches(text: str, pattern: str) -> bool:
    if "*" not in pattern and "?" not in pattern:
        return text == pattern
    parts = (".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    return re.fullmatch("".join(parts), text, re.DOTALL) is not None
