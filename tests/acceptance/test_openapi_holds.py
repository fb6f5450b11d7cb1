"""What the OpenAPI documents say is what the server does: schemathesis asks every operation, and checks the answers.

It makes requests that fit the document and requests that do not. None may break the server, and every answer has a
status, a media type and a body that the document names. Every second request is a plain one, about what is there.
Keeps: nothing of other tests is touched, as what is not in the namespace of this test is only written as a dry run;
watches are tested elsewhere, as they do not end.
"""

from __future__ import annotations

from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import checks
from schemathesis.config import SchemathesisConfig

from tests.acceptance.api import GROUP, Document, Entrance, imagestream, reference_tag
from tests.real_images import docker_image

EXAMPLES = 4
"""of each operation"""
ANSWER_TIMEOUT_S = 30
CHECKS = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]
DOCUMENTS = (
    "apis/image.openshift.io/v1",
    "apis/authentication.k8s.io/v1",
    "apis/authorization.k8s.io/v1",
    "api/v1",
)


class Server:
    def __init__(self, entrance: Entrance, namespace: str) -> None:
        self.url = entrance.url
        self.namespace = namespace
        self.session = requests.Session()
        self.session.verify = str(entrance.authority)
        # The environment may name another authority.
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Bearer {entrance.tokens['admin']}"
        image = docker_image(namespace)
        self._names = {
            "images": image.digest,
            "imagestreams": "web",
            "imagestreamimages": f"web@{image.digest}",
            "imagestreamtags": "web:v1",
            "imagetags": "web:base",
            "namespaces": namespace,
        }
        self._asked = 0
        self._create("imagestreams", imagestream("web", reference_tag("base", "quay.io/team/base:1")))
        self._create("imagestreammappings", image.mapping("web", "v1"))

    def _create(self, plural: str, body: Document) -> None:
        path = f"{self.url}{GROUP}/namespaces/{self.namespace}/{plural}"
        assert self.session.post(path, json=body, timeout=ANSWER_TIMEOUT_S).status_code == 201

    def document(self, name: str) -> Any:
        return self.session.get(f"{self.url}/openapi/v3/{name}", timeout=ANSWER_TIMEOUT_S).json()

    def ask(self, case: Any) -> None:
        places = case.path_parameters or {}
        self._asked += 1
        resource = case.path.rpartition("/{name}")[0].rpartition("/")[2]
        if self._asked % 2:
            case.query.clear()
            if "name" in places:
                places["name"] = self._names.get(resource, places["name"])
        if "namespace" in places:
            places["namespace"] = self.namespace
        elif case.method != "GET":
            case.query["dryRun"] = "All"
        if case.method == "DELETE":
            # Options in a body take the place of those in the query.
            case.query["dryRun"] = "All"
            case.body = {**case.body, "dryRun": ["All"]} if isinstance(case.body, dict) else {"dryRun": ["All"]}
        case.query.pop("watch", None)
        response = case.call(
            base_url=self.url, session=self.session, verify=self.session.verify, timeout=ANSWER_TIMEOUT_S
        )
        assert response.status_code < 500 or is_the_references_own(response.json()), response.text
        case.validate_response(response, checks=CHECKS)


def is_the_references_own(status: Any) -> bool:
    """A 500 without a reason: what Kubernetes answers to some bad parameters, and clients are used to."""
    return (status["kind"], status["code"], "reason" in status) == ("Status", 500, False)


@pytest.fixture
def server(entrance: Entrance, namespace: str) -> Server:
    return Server(entrance, namespace)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_answer_is_outside_of_the_document(server: Server, name: str) -> None:
    schema = schemathesis.openapi.from_dict(server.document(name), config=SchemathesisConfig())
    asked = 0
    for found in schema.get_all_operations():
        operation = found.ok()

        @seed(1)
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def holds(case: Any) -> None:
            server.ask(case)

        holds()
        asked += 1
    assert asked == sum(len(item.keys() - {"parameters"}) for item in server.document(name)["paths"].values())
