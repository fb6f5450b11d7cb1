from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from service.watch import sorted_names
from service.watch.sorted_names import SortedNames

names = st.text(alphabet="ab-.:z", max_size=3)


@given(st.sets(names), st.lists(names), names)
def test_names_are_in_byte_order_after_any_changes(first: set[str], toggled: list[str], behind: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sorted_names, "PAGE_LIMIT_NAMES", 4)
        found = SortedNames(first)
        model = set(first)
        for name in toggled:
            (found.remove if name in model else found.add)(name)
            model ^= {name}
    in_order = sorted(model, key=str.encode)
    rest = [name for name in in_order if name > behind]
    assert list(found.after()) == in_order
    assert list(found.after(behind)) == rest
    assert (len(found), found.count_after(), found.count_after(behind)) == (len(model), len(model), len(rest))


def test_what_is_not_there_cannot_be_removed() -> None:
    for found in (SortedNames(), SortedNames(["a", "c"])):
        for name in ("b", "d"):
            with pytest.raises(KeyError):
                found.remove(name)
