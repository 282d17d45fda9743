"""Other programs that come to an SQLite file at the worst moment."""

import sqlite3

__all__ = ["meddle"]


def meddle(monkeypatch, moment, do):
    """Have ``do()`` done before the statement of this number of the next connection that is opened."""
    connect = sqlite3.connect

    def meddling(*args, **options):
        monkeypatch.undo()
        db, said = connect(*args, **options), []

        def statement(_):
            said.append(1)
            if len(said) == moment + 1:
                do()

        db.set_trace_callback(statement)
        return db

    monkeypatch.setattr(sqlite3, "connect", meddling)
