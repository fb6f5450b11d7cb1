"""The Kubernetes merge machinery: patches, server-side apply and field ownership, as pure functions on JSON documents.

    schema ── what kind of value each field is, read off the API structs
    json_patch · merge_patch · strategic_patch   a document and a patch give a new document
    field_set · fields_v1 · managers             sets of paths, their wire form, the entries of metadata.managedFields
    structure ── compare, own, merge, prune two documents along a schema
    managed_fields · apply                       who owns what after an ordinary write, and after a server-side apply

Keeps: no argument is ever changed; a result may share parts with its arguments. Knows no resource, no status code and no
clock. Source: spec: kube-api 5.
"""
