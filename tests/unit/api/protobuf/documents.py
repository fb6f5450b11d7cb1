"""Documents of any wire type for hypothesis: what a client might send, in the form in which it is kept."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from functools import cache
from typing import Any

import msgspec
from hypothesis import strategies as st

from service.api.decoding import inspect, to_struct
from service.api.protobuf.messages import MESSAGES
from service.api.shapes import Kind, Shape, fields_of

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
ZERO_TIME = "0001-01-01T00:00:00Z"
TIMES = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC)).map(
    lambda time: time.replace(microsecond=0).isoformat().replace("+00:00", "Z")
)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 53), 1 << 53) | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)


@cache
def documents(struct: type[msgspec.Struct]) -> st.SearchStrategy[dict[str, Any]]:
    in_envelope = {"kind", "apiVersion"} - {field.name for field in MESSAGES[struct.__name__]}
    fields = {name: _values(field.shape) for name, field in fields_of(struct).items() if name not in in_envelope}
    return st.fixed_dictionaries({}, optional=fields)


def values(struct: type[msgspec.Struct]) -> st.SearchStrategy[msgspec.Struct]:
    return documents(struct).map(lambda document: to_struct(inspect(document, struct).document, struct))


def _values(shape: Shape) -> st.SearchStrategy[Any]:
    """A list or map that is there has something in it: protobuf cannot tell an empty one from none."""
    match shape.kind:
        case Kind.STRING:
            return TEXTS
        case Kind.BOOL:
            return st.booleans()
        case Kind.INTEGER:
            return st.integers(-shape.limit, shape.limit - 1)
        case Kind.TIME:
            return TIMES | st.just(ZERO_TIME)
        case Kind.BYTES:
            return st.binary(max_size=8).map(lambda content: base64.b64encode(content).decode())
        case Kind.RAW:
            return st.dictionaries(TEXTS, ANY_JSON, max_size=2)
        case Kind.STRUCT:
            assert shape.struct is not None
            inner = shape.struct
            return st.deferred(lambda: documents(inner))
        case Kind.LIST:
            assert shape.item is not None
            return st.lists(_values(shape.item), min_size=1, max_size=2)
        case Kind.MAP:
            assert shape.item is not None
            return st.dictionaries(TEXTS, _values(shape.item), min_size=1, max_size=2)
