"""Functions of the user that a model may call."""
