"""Vectors of a real language model behind the wire."""

import numpy as np
import pandas as pd
import pytest
from openai import BadRequestError, OpenAI

from codex_nb import InvalidOption, frames
from codex_nb.local import LocalBackend
from tests.local.raw import missing_model, text_of
from tests.requirements_gate import require

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def llama():
    """Give one backend with a model for all tests of this file."""
    require("model", missing_model())
    with LocalBackend() as backend:
        yield backend


@pytest.fixture(scope="module")
def client(llama):
    """Give openai-python, pointed at the backend."""
    with OpenAI(base_url=llama.url + "/v1", api_key="x", max_retries=0) as opened:
        yield opened


def vectors(client, given, **options):
    """Return a reply and its vectors."""
    reply = client.embeddings.create(input=given, **{"model": "text-embedding-3-small"} | options)
    return reply, np.array([row.embedding for row in reply.data])


def test_nearness_is_meaning(client, llama):
    """Texts of one topic are nearer than others although they share no word."""
    texts = ["The cat sat on the mat", "A kitten lies upon rugs", "Stock markets fell today", "Share prices dropped"]
    reply, found = vectors(client, texts)
    near = found @ found.T
    assert np.allclose(np.diag(near), 1, atol=1e-5)
    assert near[0, 1] > near[0, 2]
    assert near[2, 3] > near[2, 1]
    assert reply.model == llama.state.models()[0]
    assert reply.usage.prompt_tokens > 15


def test_tokens_and_dimensions(client):
    """Token lists are taken too; fewer dimensions are the first ones, scaled."""
    _, whole = vectors(client, [[1, 2, 3], [7]])
    _, cut = vectors(client, [1, 2, 3], dimensions=8)
    assert np.allclose(cut[0], whole[0, :8] / np.linalg.norm(whole[0, :8]), atol=1e-5)


@pytest.mark.parametrize(
    ("given", "options", "said"),
    [
        ([10_000_000], {}, "invalid tokens"),
        ("one " * 4000, {}, "maximum context length is 2048"),
        ("one", {"dimensions": 4000}, "less than or equal to"),
    ],
)
def test_what_the_model_cannot_do_is_refused(client, given, options, said):
    """A token that does not exist, a text that does not fit, a vector that is too long: 400 in words."""
    with pytest.raises(BadRequestError, match=said):
        vectors(client, given, **options)


def test_frames_are_embedded_on_this_machine():
    """By ``backend="local"``, without a login: what is alike is near, what was asked for is kept."""
    texts = ["The cat sat on the mat", "A kitten lies upon rugs", "Stock markets fell today", "Share prices dropped"]
    found = frames.embeddings([*texts, texts[0], None], backend="local")
    facts = found.attrs["codex_nb"]
    assert str(found["embedding"].dtype) == f"vector[{facts['model']}]"
    assert found["embedding"].codex.matrix.dtype == np.float32
    assert (facts["asked"], facts["kept"]) == (4, 0)
    assert found["embedding"].isna().tolist() == [False] * 5 + [True]
    frame = pd.DataFrame({"text": texts})
    frame["vector"] = made = frame["text"].codex.embed(backend="local")
    assert made.attrs["codex_nb"]["kept"] == 4
    assert frame.codex.search("prices of shares", on="vector", k=2, backend="local").index.tolist() == [3, 2]
    assert frame.codex.similar(0, on="vector", k=1).index.tolist() == [1]
    assert frame["text"].codex.embed(backend="local", dimensions=32).codex.matrix.shape == (4, 32)
    with pytest.raises(InvalidOption, match="no model of the OpenAI platform"):
        frame.codex.search("prices of shares", on="vector")


def test_answers_still_come(raw, llama, client):
    """The second copy of the model does not disturb the first."""
    vectors(client, "before")
    reply = raw.post(llama, text="What is the capital of France?", model=llama.state.models()[0])
    assert "Paris" in text_of(reply.text)
