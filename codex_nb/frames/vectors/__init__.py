"""Columns of vectors: made of texts, held as one matrix, compared, gathered and drawn."""
