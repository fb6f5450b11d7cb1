"""The Kubernetes merge machinery: patches, server-side apply and field ownership, as pure functions on JSON documents.

    schema                                        what kind of value each field is, read off the API structs
    json_patch · merge_patch · strategic_patch    a document and a patch give a new document
    path_elements · field_set · fields_v1         paths, sets of them, their wire form
    structure · typed_merge · typed_patch         compare, merge, cut and check documents along a schema
    managers · managed_fields · apply · kubectl   who owns what after an ordinary write, and after a server-side apply

Keeps: no argument is ever changed; a result may share parts with its arguments. Knows no resource, no status code,
no clock. Source: spec: kube-api 5.
"""
