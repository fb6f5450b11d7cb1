"""/version: which server this is, and which Kubernetes API it speaks.

Keeps: major and minor are those of the Kubernetes release whose behaviour we follow, because clients compare them with
their own; our version rides in gitVersion. Source: spec: kube-api 1.3.
"""

from __future__ import annotations

import platform
import sys

from service.api.json_types import JsonObject
from service.http.answer import Answer
from service.http.documents import INDENTED, DocumentRequest, document_answer

KUBERNETES_MAJOR, KUBERNETES_MINOR, KUBERNETES_PATCH = "1", "34", "1"
PATHS = frozenset({"/version", "/version/openshift"})


def version_document(version: str, commit: str = "", build_date: str = "1970-01-01T00:00:00Z") -> JsonObject:
    return {
        "major": KUBERNETES_MAJOR,
        "minor": KUBERNETES_MINOR,
        "gitVersion": f"v{KUBERNETES_MAJOR}.{KUBERNETES_MINOR}.{KUBERNETES_PATCH}+tag-history.{version}",
        "gitCommit": commit,
        "gitTreeState": "clean" if commit else "",
        "buildDate": build_date,
        "goVersion": f"python{platform.python_version()}",
        "compiler": sys.implementation.name,
        "platform": f"{sys.platform}/{platform.machine()}",
    }


class Version:
    def __init__(self, document: JsonObject) -> None:
        self._answer = document_answer(document, INDENTED)

    def answer(self, request: DocumentRequest) -> Answer | None:
        if request.route not in PATHS:
            return None
        request.only_get()
        return self._answer
