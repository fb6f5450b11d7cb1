"""What an image, a signature of it and a mapping to it may say.

Keeps: an image is judged by the same rules alone and inside a mapping, where its fields begin with `image.`; the errors
come in the order of the reference. Source: spec: image-api 12, 11.1, 11.2.
Elsewhere: completing an image from its manifest (`image_metadata.py`), which comes first.
"""

from __future__ import annotations

import re

from service.api.image_v1 import (
    Image,
    ImageLayer,
    ImageManifest,
    ImageSignature,
    ImageStreamMapping,
    SignatureCondition,
)
from service.api.json_types import Json
from service.domain.field_errors import FieldError, forbidden, invalid, required
from service.domain.object_meta import validate_new
from service.domain.references import split_signature_name
from service.domain.storable import validate_key
from service.domain.tag_validation import validate_reference

TRUSTED = "Trusted"
FOR_IMAGE = "ForImage"
UNKNOWN = "Unknown"
_UNKNOWN_STATE = "must be unset for unknown signature state"
# The reference searches for a whole digest anywhere in the text; it is there if, and only if, this is.
_DIGEST = re.compile(r"[A-Za-z][0-9]*:[0-9A-Fa-f]{32}")
_MEDIA_TYPE = re.compile(r" *[A-Za-z0-9][A-Za-z0-9!#$&^_-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126} *")


def validate_image(image: Image, field: str = "") -> list[FieldError]:
    """`field` is what the image is part of: "" or `image`."""
    prefix = f"{field}." if field else ""
    errors = validate_new(image.metadata, f"{prefix}metadata", namespaced=False)
    errors += validate_key(image.metadata.name, f"{prefix}metadata.name")
    if image.docker_image_reference:
        errors += validate_reference(image.docker_image_reference, f"{prefix}dockerImageReference")
    else:
        errors.append(required(f"{prefix}dockerImageReference"))
    for i, signature in enumerate(image.signatures):
        errors += validate_signature(signature, f"{prefix}signatures[{i}]")
    if image.docker_image_manifests:
        for i, manifest in enumerate(image.docker_image_manifests):
            errors += _manifest_errors(manifest, f"{prefix}dockerImageManifests[{i}]")
        if image.docker_image_layers:
            wrong = "dockerImageLayers should not be set when dockerImageManifests is set"
            errors.append(invalid(f"{prefix}dockerImageLayers", _go_layers(image.docker_image_layers), wrong))
    return errors


def validate_signature(signature: ImageSignature, field: str = "") -> list[FieldError]:
    """`field` is what the signature is part of: "" or `signatures[<i>]`."""
    prefix = f"{field}." if field else ""
    errors = validate_new(signature.metadata, f"{prefix}metadata", namespaced=False)
    if signature.metadata.labels:
        errors.append(forbidden(f"{prefix}metadata.labels", "signature labels cannot be set"))
    if signature.metadata.annotations:
        errors.append(forbidden(f"{prefix}metadata.annotations", "signature annotations cannot be set"))
    if split_signature_name(signature.metadata.name) is None:
        wrong = "name must be of format <imageName>@<signatureName>"
        errors.append(invalid(f"{prefix}metadata.name", signature.metadata.name, wrong))
    if not signature.type:
        errors.append(required(f"{prefix}type"))
    if not signature.content:
        errors.append(required(f"{prefix}content"))
    return errors + _trust_errors(signature, prefix)


def validate_mapping(mapping: ImageStreamMapping) -> list[FieldError]:
    errors = validate_new(mapping.metadata)
    if not mapping.metadata.name:
        errors += [required("name"), required("dockerImageRepository")]
    if not mapping.tag:
        errors.append(required("tag"))
    errors += validate_key(mapping.tag, "tag")
    return errors + validate_image(mapping.image, "image")


def _manifest_errors(manifest: ImageManifest, field: str) -> list[FieldError]:
    errors = []
    if not _DIGEST.search(manifest.digest):
        wrong = "digest does not conform with OCI image specification"
        errors.append(invalid(f"{field}.digest", manifest.digest, wrong))
    if not _MEDIA_TYPE.fullmatch(manifest.media_type):
        errors.append(invalid(f"{field}.mediaType", manifest.media_type, "media type does not conform to RFC6838"))
    if not manifest.architecture:
        errors.append(required(f"{field}.architecture"))
    if not manifest.os:
        errors.append(required(f"{field}.os"))
    if manifest.manifest_size < 0:
        errors.append(invalid(f"{field}.size", manifest.manifest_size, "manifest size cannot be negative"))
    return errors


def _trust_errors(signature: ImageSignature, prefix: str) -> list[FieldError]:
    """What a signature may claim depends on whether anybody has checked it."""
    trusted = _latest(signature.conditions, TRUSTED)
    for_image = _latest(signature.conditions, FOR_IMAGE)
    errors = []
    if (trusted is None) != (for_image is None):
        missing = TRUSTED if trusted is None else FOR_IMAGE
        conditions = [_go_condition(condition) for condition in signature.conditions]
        errors.append(invalid(f"{prefix}conditions", conditions, f'missing "{missing}" condition type'))
    if trusted is not None and trusted.status != UNKNOWN:
        return errors
    if signature.image_identity:
        errors.append(invalid(f"{prefix}imageIdentity", signature.image_identity, _UNKNOWN_STATE))
    if signature.signed_claims:
        claims: Json = dict(sorted(signature.signed_claims.items()))
        errors.append(invalid(f"{prefix}signedClaims", claims, _UNKNOWN_STATE))
    if signature.issued_by is not None:
        issuer: Json = _go_party(signature.issued_by.organization, signature.issued_by.common_name)
        errors.append(invalid(f"{prefix}issuedBy", issuer, _UNKNOWN_STATE))
    if signature.issued_to is not None:
        subject = _go_party(signature.issued_to.organization, signature.issued_to.common_name)
        named: Json = {**subject, "PublicKeyID": signature.issued_to.public_key_id}
        errors.append(invalid(f"{prefix}issuedTo", named, _UNKNOWN_STATE))
    return errors


def _latest(conditions: list[SignatureCondition], kind: str) -> SignatureCondition | None:
    """The condition of this type that was probed last; of equal ones the last."""
    latest = None
    for condition in conditions:
        # Times are RFC 3339 in UTC, so they compare as text.
        if condition.type == kind and (
            latest is None or (condition.last_probe_time or "") >= (latest.last_probe_time or "")
        ):
            latest = condition
    return latest


def _go_layers(layers: list[ImageLayer]) -> Json:
    """As the reference prints its internal type, whose fields have no JSON names."""
    return [{"Name": layer.name, "LayerSize": layer.size, "MediaType": layer.media_type} for layer in layers]


def _go_condition(condition: SignatureCondition) -> Json:
    return {
        "Type": condition.type,
        "Status": condition.status,
        "LastProbeTime": condition.last_probe_time,
        "LastTransitionTime": condition.last_transition_time,
        "Reason": condition.reason,
        "Message": condition.message,
    }


def _go_party(organization: str, common_name: str) -> dict[str, Json]:
    return {"Organization": organization, "CommonName": common_name}
