"""`application/vnd.kubernetes.protobuf`: the documents of the API in the binary form of Kubernetes.

    document ──encoding──▶ message ──envelope──▶ body          (and back)

The *.proto files are the one source of names and numbers; `make generate` compiles them into `messages.py`. To serve
another kind in protobuf, write its message there under the name of its Struct, with the JSON names of its fields.
Keeps: the bytes are those Go's generated code writes for the same object, and what it refuses is refused in its words.
"""
