"""The image policy file: what an administrator lets in, as YAML of the objects that say so in OpenShift.

    config.openshift.io/v1 Image    spec.allowedRegistriesForImport, spec.registrySources
    v1 LimitRange                   limits of the types openshift.io/Image and openshift.io/ImageStream
    v1 ResourceQuota                spec.hard of openshift.io/imagestreams

Keeps: an object of another kind, or a limit that cannot be understood, is an error and not silently no limit. What the
three kinds say of other things is not looked at, so that objects can be copied out of a cluster as they are.
Elsewhere: what it all means (`domain/image_policy.py`), reading the file again (`reloading.py`).
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import yaml

from service.api.json_types import Json, JsonObject
from service.auth.errors import CredentialFileError
from service.domain import image_limits
from service.domain.allowed_registries import AllowedRegistries, RegistryPattern, RegistrySources
from service.domain.image_limits import NO_LIMITS, Limits, StreamQuota
from service.domain.image_policy import ImagePolicy
from service.domain.quantity import Quantity

IMAGE_CONFIG = ("config.openshift.io/v1", "Image")
LIMIT_RANGE = ("v1", "LimitRange")
RESOURCE_QUOTA = ("v1", "ResourceQuota")
LIST = ("v1", "List")
KINDS = (IMAGE_CONFIG, LIMIT_RANGE, RESOURCE_QUOTA)


class _Document(msgspec.Struct, frozen=True, rename="camel"):
    """Fields nobody knows are left alone, as kubectl leaves them."""


class _Location(_Document, frozen=True):
    domain_name: str
    insecure: bool = False


class _Sources(_Document, frozen=True):
    blocked_registries: frozenset[str] = frozenset()
    allowed_registries: frozenset[str] = frozenset()
    insecure_registries: frozenset[str] = frozenset()


class _ImageSpec(_Document, frozen=True):
    allowed_registries_for_import: tuple[_Location, ...] = ()
    registry_sources: _Sources = _Sources()


class _ImageConfig(_Document, frozen=True):
    spec: _ImageSpec = _ImageSpec()


class _Limit(_Document, frozen=True):
    type: str
    max: dict[str, str | int | float] = {}


class _LimitRangeSpec(_Document, frozen=True):
    limits: tuple[_Limit, ...] = ()


class _QuotaSpec(_Document, frozen=True):
    hard: dict[str, str | int | float] = {}


class _Metadata(_Document, frozen=True):
    name: str = ""
    namespace: str = ""


class _LimitRange(_Document, frozen=True):
    metadata: _Metadata
    spec: _LimitRangeSpec = _LimitRangeSpec()


class _ResourceQuota(_Document, frozen=True):
    metadata: _Metadata
    spec: _QuotaSpec = _QuotaSpec()


def parse_image_policy_file(text: str, internal_registry_hostname: str = "") -> ImagePolicy:
    """The internal registry is always allowed. Raises CredentialFileError naming the document and the field."""
    policies: list[ImagePolicy] = []
    limits: dict[str, Limits] = {}
    for place, kind, document in _objects(text):
        try:
            if kind == LIMIT_RANGE:
                _limit(limits, msgspec.convert(document, _LimitRange))
            elif kind == RESOURCE_QUOTA:
                _quota(limits, msgspec.convert(document, _ResourceQuota))
            else:
                policies.append(_registries(msgspec.convert(document, _ImageConfig).spec, internal_registry_hostname))
        except (CredentialFileError, msgspec.ValidationError, ValueError) as wrong:
            raise CredentialFileError(str(wrong), place) from None
        if len(policies) > 1:
            raise CredentialFileError("a second Image; one says it for all", place)
    return msgspec.structs.replace(policies[0] if policies else ImagePolicy(), limits=limits)


def _objects(text: str) -> Iterator[tuple[str, tuple[str, str], JsonObject]]:
    """Each object with where it stands and its (apiVersion, kind), lists taken apart."""
    try:
        for number, document in enumerate(yaml.safe_load_all(text), start=1):
            if document is not None:
                yield from _unlisted(f"document {number}", document)
    except yaml.YAMLError as wrong:
        raise CredentialFileError(" ".join(str(wrong).split())) from None


def _unlisted(place: str, document: Json) -> Iterator[tuple[str, tuple[str, str], JsonObject]]:
    if not isinstance(document, dict):
        raise CredentialFileError("is not an object", place)
    kind = (str(document.get("apiVersion", "")), str(document.get("kind", "")))
    if kind == LIST:
        items = document.get("items") or []
        for i, item in enumerate(items if isinstance(items, list) else [items]):
            yield from _unlisted(f"{place}: items[{i}]", item)
        return
    if kind not in KINDS:
        known = ", ".join(" ".join(pair) for pair in KINDS)
        raise CredentialFileError(f'"{kind[1]}" of "{kind[0]}" is not one of {known}', place)
    yield place, kind, document


def _limit(limits: dict[str, Limits], limit_range: _LimitRange) -> None:
    namespace = _namespace(limit_range.metadata)
    found = limits.get(namespace, NO_LIMITS)
    for limit in limit_range.spec.limits:
        greatest = {resource: Quantity.parse(str(value)) for resource, value in limit.max.items()}
        if limit.type == image_limits.IMAGE and image_limits.STORAGE in greatest:
            found = found.and_storage(greatest[image_limits.STORAGE])
        if limit.type == image_limits.IMAGE_STREAM and image_limits.IMAGES in greatest:
            found = found.and_images(greatest[image_limits.IMAGES])
        if limit.type == image_limits.IMAGE_STREAM and image_limits.IMAGE_TAGS in greatest:
            found = found.and_image_tags(greatest[image_limits.IMAGE_TAGS])
    limits[namespace] = found


def _quota(limits: dict[str, Limits], quota: _ResourceQuota) -> None:
    namespace = _namespace(quota.metadata)
    hard = quota.spec.hard.get(image_limits.IMAGE_STREAMS)
    if hard is not None:
        limit = StreamQuota(quota.metadata.name, Quantity.parse(str(hard)))
        limits[namespace] = limits.get(namespace, NO_LIMITS).and_streams(limit)


def _namespace(metadata: _Metadata) -> str:
    if not metadata.namespace:
        raise CredentialFileError("limits are those of a namespace", "metadata.namespace")
    return metadata.namespace


def _registries(spec: _ImageSpec, internal_registry_hostname: str) -> ImagePolicy:
    sources = spec.registry_sources
    if sources.blocked_registries and sources.allowed_registries:
        raise CredentialFileError("blockedRegistries and allowedRegistries exclude each other", "spec.registrySources")
    return ImagePolicy(
        _allowed(spec, internal_registry_hostname),
        RegistrySources(sources.blocked_registries, sources.allowed_registries, sources.insecure_registries),
    )


def _allowed(config: _ImageSpec, internal_registry_hostname: str) -> AllowedRegistries:
    locations = config.allowed_registries_for_import
    if not locations:
        return AllowedRegistries()
    patterns = [RegistryPattern.parse(location.domain_name, insecure=location.insecure) for location in locations]
    if internal_registry_hostname:
        patterns.insert(0, RegistryPattern.parse(internal_registry_hostname))
    return AllowedRegistries(tuple(dict.fromkeys(patterns)))
