"""The one client of a backend, with a synchronous and an asynchronous face."""
