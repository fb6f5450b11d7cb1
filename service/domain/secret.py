"""What makes a secret: its types, what must be in it, and what may never change.

A secret here holds credentials for registries, so there are three types: the two forms of a docker configuration, each
under a key of its own, and Opaque for anything else. Keeps: every wrong field is reported at once, and none of the
sentences holds anything of the content.
Elsewhere: where secrets are (`secretstore/`). Source: Kubernetes' rules of core/v1 Secret; spec: image-api 10.2.
"""

from __future__ import annotations

import base64
import re
from typing import Final

import msgspec

from service.api.core_v1 import Secret
from service.domain.errors import GroupResource
from service.domain.field_errors import FieldError, forbidden, invalid, not_supported, required, too_long
from service.domain.object_meta import IMMUTABLE, validate_any_update, validate_new
from service.domain.qualified_names import SUBDOMAIN_LIMIT_BYTES, subdomain_problems

SECRETS: Final = GroupResource("", "secrets")
SECRET_KIND: Final = GroupResource("", "Secret")
OPAQUE: Final = "Opaque"
DOCKER_CONFIG_KEYS: Final = {
    "kubernetes.io/dockercfg": ".dockercfg",
    "kubernetes.io/dockerconfigjson": ".dockerconfigjson",
}
"""The key of the configuration, by type."""
TYPES: Final = [OPAQUE, *sorted(DOCKER_CONFIG_KEYS)]
EXCLUDED_ANNOTATION: Final = "openshift.io/image.excludeSecret"
DATA_LIMIT_BYTES: Final = 1024 * 1024
REDACTED: Final = "<secret contents redacted>"
_KEY: Final = "[-._a-zA-Z0-9]+"
_KEY_MATCH: Final = re.compile(_KEY)


def with_defaults(secret: Secret) -> Secret:
    """Decoded for this request alone, so it is changed in place: plain text goes into data, and the type is there."""
    for key, text in secret.string_data.items():
        secret.data[key] = base64.b64encode(text.encode()).decode()
    secret.data = dict(sorted(secret.data.items()))
    secret.string_data = {}
    secret.type = secret.type or OPAQUE
    return secret


def is_pull_secret(secret: Secret) -> bool:
    """Whether imports may use it (spec: image-api 10.2)."""
    excluded = (secret.metadata.annotations or {}).get(EXCLUDED_ANNOTATION) == "true"
    return secret.type in DOCKER_CONFIG_KEYS and not excluded


def validate_new_secret(secret: Secret) -> list[FieldError]:
    return [*validate_new(secret.metadata, name_rule=name_problems), *_data_errors(secret)]


def validate_secret_update(new: Secret, old: Secret) -> list[FieldError]:
    errors = validate_any_update(new.metadata, old.metadata)
    if new.type != old.type:
        errors.append(invalid("type", new.type, IMMUTABLE))
    if old.immutable:
        final = "field is immutable when `immutable` is set"
        if not new.immutable:
            errors.append(forbidden("immutable", final))
        if new.data != old.data:
            errors.append(forbidden("data", final))
    return [*errors, *_data_errors(new)]


def name_problems(name: str, prefix: bool) -> list[str]:
    """The rule of names of secrets. A prefix may end as no name may."""
    return subdomain_problems(f"{name}x" if prefix else name)


def _data_errors(secret: Secret) -> list[FieldError]:
    contents = {key: base64.b64decode(value) for key, value in secret.data.items()}
    errors = [invalid(f"data[{key}]", key, problem) for key in contents for problem in _key_problems(key)]
    if sum(map(len, contents.values())) > DATA_LIMIT_BYTES:
        errors.append(too_long("data", DATA_LIMIT_BYTES))
    if secret.type not in TYPES:
        return [*errors, not_supported("type", secret.type, TYPES)]
    key = DOCKER_CONFIG_KEYS.get(secret.type)
    if key is None:
        return errors
    if key not in contents:
        errors.append(required(f"data[{key}]"))
    elif not _is_json_object(contents[key]):
        errors.append(invalid(f"data[{key}]", REDACTED, "must be a JSON object"))
    return errors


def _key_problems(key: str) -> list[str]:
    problems = []
    if len(key.encode()) > SUBDOMAIN_LIMIT_BYTES:
        problems.append(f"must be no more than {SUBDOMAIN_LIMIT_BYTES} bytes")
    if not _KEY_MATCH.fullmatch(key):
        examples = f"(e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '{_KEY}')"
        rule = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
        problems.append(f"{rule} {examples}")
    if key in (".", ".."):
        problems.append(f"must not be '{key}'")
    elif key.startswith(".."):
        problems.append("must not start with '..'")
    return problems


def _is_json_object(content: bytes) -> bool:
    try:
        msgspec.json.decode(content, type=dict | None)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True
