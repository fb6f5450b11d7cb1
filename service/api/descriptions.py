"""What every field of the wire types means, in one sentence: what `kubectl explain` shows.

Keeps: every Struct of the wire types (`*_v1.py`), and every field of it, has a sentence here or in COMMON.
Elsewhere: the types themselves, the schemas these sentences go into (`http/openapi_schemas.py`).
"""

from __future__ import annotations

from service.api.core_descriptions import NAMESPACES, REVIEWS, SECRETS
from service.api.image_descriptions import IMAGES, IMPORTS, STREAMS, STRUCT

COMMON = {
    "apiVersion": "The group and version of the schema this object follows.",
    "kind": "The name of the schema this object follows; the URL usually says the same.",
    "metadata": "The name of the object, and what the system keeps about it.",
    "items": "The objects of the list.",
}

_META: dict[str, dict[str, str]] = {
    "OwnerReference": {
        STRUCT: "Another object that this one belongs to, and goes with when that is deleted.",
        "name": "The name of the owner.",
        "uid": "The uid of the owner; a later object of the same name is not the owner.",
        "controller": "Whether this owner is the one that manages the object.",
        "blockOwnerDeletion": "Whether a foreground deletion of the owner waits until this object is gone.",
    },
    "ManagedFieldsEntry": {
        STRUCT: "The fields that one manager has set, and when.",
        "manager": "The workflow or program that owns the fields.",
        "operation": "How it came to own them: Apply or Update.",
        "apiVersion": "The version in which the fields are named.",
        "time": "When the manager last changed the set of its fields, or a value among them.",
        "fieldsType": "How the fields are written down; always FieldsV1.",
        "fieldsV1": "The fields, as a tree of their names.",
        "subresource": "The subresource through which they were set; empty for the object itself.",
    },
    "ObjectMeta": {
        STRUCT: "What every stored object has: its name, its identity and its history.",
        "name": "The name, unique in the namespace among objects of this resource; it never changes.",
        "generateName": "A prefix from which the server makes a unique name when no name is given.",
        "namespace": "The space in which the name is unique; empty for objects of the whole cluster.",
        "selfLink": "No longer set by any server.",
        "uid": "The identity of this very object, across time and space; set by the server.",
        "resourceVersion": "The position in the log of the last event that changed this object. Sent back with an "
        "update, it refuses to overwrite somebody else's change; given to a list or watch, it names a moment.",
        "generation": "A number that grows with each change of what is wanted (the spec).",
        "creationTimestamp": "When the object was created; set by the server.",
        "deletionTimestamp": "When deletion was asked for; the object goes once its finalizers are gone.",
        "deletionGracePeriodSeconds": "How long the object may take to go; set along with deletionTimestamp.",
        "labels": "Short words to select objects by.",
        "annotations": "Notes of any length that tools keep with the object; nothing is selected by them.",
        "ownerReferences": "The objects this one belongs to.",
        "finalizers": "Who still has work to do before the object may go; each removes its own name.",
        "managedFields": "Which manager owns which fields, for server-side apply.",
    },
    "ListMeta": {
        STRUCT: "What a list says of itself.",
        "selfLink": "No longer set by any server.",
        "resourceVersion": "The position in the log up to which the list is true; a watch can start from here.",
        "continue": "Asks for the next page of the same list; empty on the last one.",
        "remainingItemCount": "How many objects follow after this page, where that is known.",
    },
    "StatusCause": {
        STRUCT: "One of the reasons why a request failed.",
        "reason": "What is wrong, in a word for programs.",
        "message": "What is wrong, in a sentence for people.",
        "field": "The field it is wrong with, as a path from the top of the object.",
    },
    "StatusDetails": {
        STRUCT: "What a Status is about, for programs.",
        "name": "The object that was asked for.",
        "group": "The API group of the resource.",
        "kind": "The resource, or the kind where fields of an object were wrong.",
        "uid": "The uid of the object.",
        "causes": "Everything that was wrong.",
        "retryAfterSeconds": "After how many seconds it makes sense to try again.",
    },
    "Status": {
        STRUCT: "The outcome of a request that returns no object.",
        "status": "Success or Failure.",
        "message": "The outcome in a sentence.",
        "reason": "Why it failed, in a word for programs.",
        "details": "More about the failure, or the object that was deleted.",
        "code": "The HTTP status code.",
    },
    "Preconditions": {
        STRUCT: "What must be true of an object for the deletion to happen.",
        "uid": "The uid it must have.",
        "resourceVersion": "The resourceVersion it must have.",
    },
    "DeleteOptions": {
        STRUCT: "How an object is to be deleted.",
        "gracePeriodSeconds": "How long the object may take to go; images and image streams go at once.",
        "preconditions": "Delete only if all of this is true.",
        "orphanDependents": "Outdated form of propagationPolicy: true is Orphan, false is Background.",
        "propagationPolicy": "What becomes of objects that belong to this one: Orphan, Background or Foreground.",
        "dryRun": "All: check everything, and delete nothing.",
    },
    "ObjectReference": {
        STRUCT: "A pointer to another object.",
        "kind": "The kind of the object pointed to.",
        "namespace": "Its namespace.",
        "name": "Its name.",
        "uid": "Its uid.",
        "apiVersion": "Its group and version.",
        "resourceVersion": "The very state of it that is meant.",
        "fieldPath": "The part of it that is meant.",
    },
    "LocalObjectReference": {
        STRUCT: "A pointer to an object in the same namespace.",
        "name": "The name of the object.",
    },
}

DESCRIPTIONS: dict[tuple[str, str], str] = {
    (struct, field): sentence
    for part in (_META, IMAGES, STREAMS, IMPORTS, NAMESPACES, SECRETS, REVIEWS)
    for struct, fields in part.items()
    for field, sentence in fields.items()
}


def description(struct: str, field: str = STRUCT) -> str:
    """The sentence for a field by its JSON name, or for the type itself; "" where there is none."""
    return DESCRIPTIONS.get((struct, field)) or COMMON.get(field, "")
