"""The older form of the same description: Swagger 2.0, made from the OpenAPI v3 documents.

Keeps: nothing is said here that the v3 documents do not say; that a field may be null cannot be said. What aggregators
and older tools read.
Elsewhere: where it is served (`openapi.py`). Source: spec: kube-api 1.4.5, 1.4.7.
"""

from __future__ import annotations

from collections.abc import Iterable

from service.api.json_types import Json, JsonObject

_V3_SCHEMAS, _V2_SCHEMAS = "#/components/schemas/", "#/definitions/"


def swagger(documents: Iterable[JsonObject], info: JsonObject) -> JsonObject:
    """One document of all groups."""
    paths: JsonObject = {}
    definitions: JsonObject = {}
    for document in documents:
        for path, item in _object(document["paths"]).items():
            paths[path] = _path(_object(item))
        components = _object(document.get("components"))
        definitions |= {name: _schema(schema) for name, schema in _object(components.get("schemas")).items()}
    return {"swagger": "2.0", "info": info, "paths": paths, "definitions": definitions}


def _object(value: Json) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _path(item: JsonObject) -> JsonObject:
    path: JsonObject = {
        method: _operation(_object(operation)) for method, operation in item.items() if method != "parameters"
    }
    path["parameters"] = _parameters(item)
    return path


def _operation(operation: JsonObject) -> JsonObject:
    body = _object(_object(operation.get("requestBody")).get("content"))
    responses = _object(operation["responses"])
    produced: list[Json] = []
    produced += dict.fromkeys(t for response in responses.values() for t in _object(_object(response).get("content")))
    kept = {k: v for k, v in operation.items() if k not in ("requestBody", "responses", "parameters")}
    parameters = _parameters(operation)
    converted: JsonObject = {**kept, "parameters": parameters, "produces": produced}
    if body:
        converted["consumes"] = list(body)
        parameters.append({"name": "body", "in": "body", **_first_schema(body)})
    converted["responses"] = {code: _response(_object(response)) for code, response in responses.items()}
    return converted


def _response(response: JsonObject) -> JsonObject:
    return {"description": response["description"], **_first_schema(_object(response.get("content")))}


def _first_schema(content: JsonObject) -> JsonObject:
    """All media types of a body have the same schema."""
    for media in content.values():
        return {"schema": _schema(_object(media)["schema"])}
    return {}


def _parameters(holder: JsonObject) -> list[Json]:
    converted: list[Json] = []
    for parameter in _list(holder.get("parameters")):
        flat = _object(parameter)
        converted.append({k: v for k, v in flat.items() if k != "schema"} | _object(flat.get("schema")))
    return converted


def _schema(schema: Json) -> Json:
    """A reference needs no allOf around it, and points elsewhere."""
    if isinstance(schema, list):
        return [_schema(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    converted = {
        key: value.replace(_V3_SCHEMAS, _V2_SCHEMAS) if key == "$ref" and isinstance(value, str) else _schema(value)
        for key, value in schema.items()
        if key != "nullable"
    }
    whole = _list(converted.get("allOf"))
    if len(whole) == 1:
        del converted["allOf"]
        converted.pop("default", None)
        converted |= _object(whole[0])
    return converted
