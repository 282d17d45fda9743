"""Vectors of texts on the embedded backend: limits, both encodings, and what their nearness means."""

import base64

import numpy as np
import pytest

from codex_nb.local import Fault

PATH = "/v1/embeddings"
SMALL, LARGE, ADA = "text-embedding-3-small", "text-embedding-3-large", "text-embedding-ada-002"


def ask(raw, backend, given, **more):
    """Ask for vectors and return the reply."""
    body = {"model": SMALL, "input": given, **more}
    return raw.http.post(backend.url + PATH, json={name: value for name, value in body.items() if value is not ...})


def matrix(reply):
    """Return the vectors of a reply in either encoding, by their index."""
    rows = sorted(reply.json()["data"], key=lambda row: row["index"])
    found = [row["embedding"] for row in rows]
    if isinstance(found[0], str):
        return np.stack([np.frombuffer(base64.b64decode(row), "<f4") for row in found])
    return np.array(found, np.float32)


def test_the_reply_has_the_services_shape(raw, backend):
    """A list of embeddings with their index, the model, the tokens."""
    reply = ask(raw, backend, ["one", "two words"])
    body = reply.json()
    assert (body["object"], body["model"]) == ("list", SMALL)
    assert [(row["object"], row["index"]) for row in body["data"]] == [("embedding", 0), ("embedding", 1)]
    assert body["usage"] == {"prompt_tokens": 4, "total_tokens": 4}
    assert reply.headers["x-request-id"].startswith("req_")


@pytest.mark.parametrize(("model", "size"), [(SMALL, 1536), (LARGE, 3072), (ADA, 1536)])
def test_vectors_have_the_models_size_and_length_1(raw, backend, model, size):
    """Each model has its own size and its own vectors."""
    found = matrix(ask(raw, backend, ["a", "b"], model=model))
    assert found.shape == (2, size)
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    other = matrix(ask(raw, backend, "a", model=SMALL if model == ADA else ADA))[0]
    assert abs(other @ found[0, :1536]) < 0.5


def test_both_encodings_hold_the_same_numbers(raw, backend):
    """Numbers read back to the very bits that the packed form has."""
    texts = ["Zażółć gęślą jaźń 🦊", "second"]
    written = matrix(ask(raw, backend, texts, encoding_format="float"))
    packed = matrix(ask(raw, backend, texts, encoding_format="base64"))
    assert written.tobytes() == packed.tobytes()


def test_the_four_forms_of_input(raw, backend):
    """A text, texts, tokens, token lists; the same thing is the same vector in each."""
    alone, many = matrix(ask(raw, backend, "hello")), matrix(ask(raw, backend, ["x", "hello"]))
    assert alone.tobytes() == many[1].tobytes()
    tokens = ask(raw, backend, [1, 2, 3])
    assert tokens.json()["usage"]["prompt_tokens"] == 3
    lists = ask(raw, backend, [[9], [1, 2, 3]])
    assert matrix(tokens)[0].tobytes() == matrix(lists)[1].tobytes()
    assert lists.json()["usage"]["prompt_tokens"] == 4


def test_shared_words_bring_texts_nearer(raw, backend):
    """The more words two texts share, the nearer they are; no two different texts are the same."""
    texts = ["the cat sat on the mat", "The cat lay on the mat.", "a cat ran", "stock markets fell today", "mat the on"]
    found = matrix(ask(raw, backend, texts))
    near = found @ found.T
    assert near[0, 1] > near[0, 2] > near[0, 3]
    assert near[0, 3] < 0.3
    assert (near - np.eye(5)).max() < 0.99
    assert matrix(ask(raw, backend, "the dog")).tobytes() != matrix(ask(raw, backend, "dog the")).tobytes()


def test_vectors_are_the_same_in_every_process(raw, backend):
    """No seed of this process is in them."""
    found = matrix(ask(raw, backend, "the same everywhere"))[0]
    assert found[:4].round(4).tolist() == matrix(ask(raw, backend, "the same everywhere"))[0][:4].round(4).tolist()
    import subprocess
    import sys

    code = (
        "from codex_nb.local.vectors import bag_of_words as b;"
        "import sys; sys.stdout.write(b(['the same everywhere'], 'text-embedding-3-small', 1536).tobytes().hex())"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert bytes.fromhex(other) == found.tobytes()


def test_dimensions_cut_and_scale(raw, backend):
    """Fewer dimensions are the first ones of the whole, at length 1 again."""
    whole, cut = matrix(ask(raw, backend, "text"))[0], matrix(ask(raw, backend, "text", dimensions=256))[0]
    assert cut.shape == (256,)
    assert np.allclose(cut, whole[:256] / np.linalg.norm(whole[:256]), atol=1e-6)
    assert matrix(ask(raw, backend, "text", dimensions=1)).shape == (1, 1)


@pytest.mark.parametrize(
    ("changes", "status", "param", "code", "said"),
    [
        ({"input": ""}, 400, "input", None, "empty string"),
        ({"input": ["a", ""]}, 400, "input", None, "empty string"),
        ({"input": []}, 400, "input", "empty_array", "empty array"),
        ({"input": [[]]}, 400, "input", None, "empty"),
        ({"input": ...}, 400, "input", None, "invalid"),
        ({"input": None}, 400, "input", None, "invalid"),
        ({"input": {"a": 1}}, 400, "input", None, "invalid"),
        ({"input": ["a", 1]}, 400, "input", None, "invalid"),
        ({"input": [1, True]}, 400, "input", None, "invalid"),
        ({"input": [1.5]}, 400, "input", None, "invalid"),
        ({"input": [-1]}, 400, "input", None, "invalid"),
        ({"input": [["a"]]}, 400, "input", None, "invalid"),
        ({"input": ["a"] * 2049}, 400, "input", "array_above_max_length", "2049"),
        ({"input": [1] * 8193}, 400, None, None, "maximum context length is 8192 tokens"),
        ({"input": "word " * 10_000}, 400, None, None, "maximum context length is 8192 tokens"),
        ({"input": [[1] * 8192] * 37}, 400, None, "max_tokens_per_request", "max 300000 tokens"),
        ({"model": "text-embedding-9"}, 404, None, "model_not_found", "does not exist"),
        ({"model": ["a"]}, 400, None, None, "model parameter"),
        ({"model": ...}, 400, None, None, "model parameter"),
        ({"dimensions": 0}, 400, "dimensions", "invalid_type", "at least 1"),
        ({"dimensions": "3"}, 400, "dimensions", "invalid_type", "at least 1"),
        ({"dimensions": 1537}, 400, "dimensions", None, "1536"),
        ({"model": ADA, "dimensions": 3}, 400, None, None, "does not support"),
        ({"encoding_format": "hex"}, 400, "encoding_format", "invalid_value", "base64"),
        ({"encoding_format": {}}, 400, "encoding_format", "invalid_value", "base64"),
    ],
)
def test_refusals_are_openais(raw, backend, changes, status, param, code, said):
    """Every refusal is an error object with the parameter and the code of the public API."""
    reply = ask(raw, backend, **{"given": "text"} | {{"input": "given"}.get(k, k): v for k, v in changes.items()})
    error = reply.json()["error"]
    assert (reply.status_code, error["param"], error["code"]) == (status, param, code)
    assert said in error["message"]


def test_limits_themselves_are_fine(raw, backend):
    """2048 inputs, 8192 tokens in one, 300 000 together: all pass."""
    many = ask(raw, backend, ["a"] * 2048, encoding_format="base64", dimensions=2)
    assert [row["index"] for row in many.json()["data"]] == list(range(2048))
    assert ask(raw, backend, [1] * 8192, dimensions=2).status_code == 200
    assert ask(raw, backend, [[1] * 7500] * 40, dimensions=2).json()["usage"]["total_tokens"] == 300_000


def test_bodies_that_are_no_json_object(raw, backend):
    """A body that is no JSON, or no object, is refused in words."""
    for content in (b"{", b"[]", b"\xff"):
        reply = raw.http.post(backend.url + PATH, content=content)
        assert reply.status_code == 400
        assert "body" in reply.json()["error"]["message"]


def test_a_steady_delay_can_be_laid_on_it(raw, backend):
    """Every batch can be made to take a while, for measuring."""
    import time

    backend.inject(Fault.silence(0.05, times=None, path="*/embeddings"))
    began = time.perf_counter()
    assert [ask(raw, backend, "a").status_code for _ in range(3)] == [200] * 3
    assert time.perf_counter() - began >= 0.15


def test_truncated_bodies(raw, backend):
    """An answer of known length can be cut in the middle, or end well and be no JSON."""
    import httpx

    backend.inject(
        Fault.cut_after(size=1000, path="*/embeddings"), Fault.reply(200, b'{"object":"list","data":[', path=PATH)
    )
    with pytest.raises(httpx.RemoteProtocolError):
        ask(raw, backend, "a")
    with pytest.raises(ValueError, match="Expecting value"):
        ask(raw, backend, "a").json()
