"""Real vectors from a GGUF model: llama.cpp once more, in the mode that ends at the meaning of a text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from codex_nb.local.pieces import TooLongError, Vectors

if TYPE_CHECKING:
    from codex_nb.local.pieces import Embedding

# The longest input, in tokens; such a mean needs all of it in one step.
LONGEST = 2048
TOO_LARGE = "is too large to process"


class Meaning:
    """A model loaded for vectors: the mean over its tokens, at length 1. Not thread-safe; loading takes a second."""

    def __init__(self, api: Any, params: Any, model: str) -> None:
        params.n_ctx = params.n_batch = params.n_ubatch = LONGEST
        params.embedding, params.embd_normalize = True, 2
        params.pooling_type = api.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
        self._server: Any = api.Server(params)
        self._model = model
        self.size = len(self._one("a")["data"][0]["embedding"])

    def of(self, asked: Embedding, stopped: Any) -> Vectors:
        """Return the vectors; ``stopped`` (an event) ends it between two inputs.

        Raises:
            TooLongError: an input does not fit, or holds tokens that the model does not have.

        """
        import numpy as np

        matrix, tokens = np.zeros((len(asked.inputs), asked.size), np.float32), 0
        for row, each in enumerate(asked.inputs):
            if stopped.is_set():
                break
            reply = self._one(each)
            tokens += int(reply["usage"]["prompt_tokens"])
            vector = np.asarray(reply["data"][0]["embedding"], np.float32)[: asked.size]
            matrix[row] = vector / np.linalg.norm(vector)
        return Vectors(matrix, tokens, self._model)

    def _one(self, text: Any) -> Any:
        reply = self._server.handle_embeddings({"input": text})
        if error := reply.get("error"):
            said = str(error.get("message"))
            raise TooLongError(
                f"This model's maximum context length is {LONGEST} tokens." if TOO_LARGE in said else said
            )
        return reply
