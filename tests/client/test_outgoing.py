"""The JSON of a request, whichever encoder writes it."""

import json

from hypothesis import example, given
from hypothesis import strategies as st

from codex_nb.client._outgoing import body
from codex_nb.wire.call import Call

texts = st.text(st.characters())  # with halves of characters
flat = st.none() | st.booleans() | st.integers() | texts
values = flat | st.floats(allow_nan=False, allow_infinity=False) | st.lists(flat, max_size=4)


@given(st.dictionaries(texts, values | st.lists(values, max_size=3) | st.dictionaries(texts, values, max_size=3)))
@example({"input": ["a", "\ud800"]})
@example({"input": [[1, 2], [10**30]], "dimensions": 10**30})
def test_a_body_is_what_the_standard_library_makes_of_it(fields):
    """In UTF-8, with a question mark for half a character; the quick way and the other."""
    headers, content = body(Call("POST", "codex/responses", json=fields), asynchronous=False)
    assert headers == {"content-type": "application/json"}
    assert json.loads(content) == json.loads(json.dumps(fields, ensure_ascii=False).encode("utf-8", "replace"))
