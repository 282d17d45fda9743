"""Bytes and JSON in, values out: the protocol without a network, a file or a clock."""
