"""Who the account of a local backend is: made up, and the same everywhere."""

from __future__ import annotations

ACCOUNT_ID = "7b1e0a52-5c1d-4a0e-9a44-0c9d5a6f0001"
USER_ID = "user-local"
EMAIL = "ada@example.com"
PLAN = "plus"
CLIENT_ID = "app_EMoamEEZ73f0CkXaXp7hrann"
