"""Every resource there is: what routing, discovery and OpenAPI are made from."""

from __future__ import annotations

from service.api.resource_info import ResourceInfo
from service.domain.world import Collection
from service.importer.importer import Importer
from service.resources.images import Images
from service.resources.imagesignatures import ImageSignatures
from service.resources.imagestreamimages import ImageStreamImages
from service.resources.imagestreamimports import ImageStreamImports
from service.resources.imagestreamlayers import ImageStreamLayersOf
from service.resources.imagestreammappings import ImageStreamMappings
from service.resources.imagestreams import ImageStreams
from service.resources.imagestreamsecrets import ImageStreamSecrets
from service.resources.imagestreamtags import ImageStreamTags, ImageTags
from service.resources.namespaces import Namespaces
from service.resources.resource import AnyResource
from service.resources.reviews import (
    LocalSubjectAccessReviews,
    SelfSubjectAccessReviews,
    SelfSubjectReviews,
    SelfSubjectRulesReviews,
    SubjectAccessReviews,
)
from service.resources.secrets import Secrets
from service.resources.services import Services


class Catalog:
    def __init__(self, services: Services, importer: Importer) -> None:
        self.routed: list[tuple[str, AnyResource]] = [
            ("", Images(services)),
            ("", ImageSignatures(services)),
            ("", ImageStreams(services)),
            ("status", ImageStreams(services, status=True)),
            ("layers", ImageStreamLayersOf(services)),
            ("secrets", ImageStreamSecrets(services)),
            ("", ImageStreamTags(services)),
            ("", ImageTags(services)),
            ("", ImageStreamImages(services)),
            ("", ImageStreamMappings(services)),
            ("", ImageStreamImports(services, importer)),
            ("", Namespaces(services)),
            ("", Secrets(services)),
            ("", SelfSubjectReviews()),
            ("", SelfSubjectAccessReviews(services.authorizer)),
            ("", SelfSubjectRulesReviews(services.authorizer)),
            ("", SubjectAccessReviews(services.authorizer)),
            ("", LocalSubjectAccessReviews(services.authorizer)),
        ]

    @property
    def infos(self) -> list[ResourceInfo]:
        return [resource.info for subresource, resource in self.routed if not subresource]

    @property
    def collections(self) -> dict[Collection, AnyResource]:
        return {r.collection: r for subresource, r in self.routed if r.collection is not None and not subresource}
