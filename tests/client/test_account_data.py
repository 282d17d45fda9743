"""Every endpoint of the account: its address, its answer, and what is refused before anything is sent."""

import json
import pickle
from pathlib import Path

import pytest
from pydantic import BaseModel

from codex_nb import errors
from codex_nb.local import Fault, Script
from codex_nb.types.accounts import Accounts
from codex_nb.types.config import ConfigFragment, Requirements
from codex_nb.types.environments import Environments
from tests.client.both import each, got, tell

FIXTURES = Path(__file__).parents[1] / "fixtures"
WHAM = "/backend-api/wham"
DATES = {"start_date": "2026-10-01", "end_date": "2026-10-24"}
SPAN = "start_date=2026-10-01&end_date=2026-10-24"
TRACE = {"id": "1", "metadata": {"source_path": "x"}, "items": []}

# What is called, where it goes, and a payload (a name on record, or one whose form is not known).
CALLS = {
    "usage": (lambda c: c.usage(), f"{WHAM}/usage", "usage"),
    "tasks.list": (lambda c: c.tasks.list(), f"{WHAM}/tasks/list", "tasks_list_page2"),
    "tasks.retrieve": (lambda c: c.tasks.retrieve("t"), f"{WHAM}/tasks/t", "task_detail_diff"),
    "turns.list": (lambda c: c.tasks.turns.list("t"), f"{WHAM}/tasks/t/turns", "turns"),
    "turns.retrieve": (lambda c: c.tasks.turns.retrieve("t", "u~1"), f"{WHAM}/tasks/t/turns/u~1", {"id": "u~1"}),
    "turns.sibling_turns": (
        lambda c: c.tasks.turns.sibling_turns("t", "u~1"),
        f"{WHAM}/tasks/t/turns/u~1/sibling_turns",
        "sibling_turns",
    ),
    "turns.logs": (lambda c: c.tasks.turns.logs("t", "u~1"), f"{WHAM}/tasks/t/turns/u~1/logs", {"logs": []}),
    "environments.list": (lambda c: c.environments.list(), f"{WHAM}/environments", "environments"),
    "environments.by_repo": (
        lambda c: c.environments.by_repo("github", "acme", "widgets"),
        f"{WHAM}/environments/by-repo/github/acme/widgets",
        "environments",
    ),
    "environments.retrieve": (
        lambda c: c.environments.retrieve("e"),
        f"{WHAM}/environments/e/with-creator-and-machine",
        {"id": "e"},
    ),
    "environments.search": (
        lambda c: c.environments.search("a b", cursor="c"),
        f"{WHAM}/environments/search?query=a+b&cursor=c&limit=20",
        [{"id": "e"}],
    ),
    "environments.machines": (lambda c: c.environments.machines(), f"{WHAM}/machines", []),
    "repositories.search": (
        lambda c: c.repositories.search("w", connector_id="k", limit=5),
        f"{WHAM}/github/repositories/search/all-installations?query=w&limit=5&connector_id=k",
        {"repositories": []},
    ),
    "repositories.branches": (
        lambda c: c.repositories.branches("github-7", "main"),
        f"{WHAM}/github/branches/github-7/search?query=main&page_size=20",
        {"branches": []},
    ),
    "memories.list": (lambda c: c.memories.list(), "/backend-api/memories", "memories"),
    "trace_summarize": (
        lambda c: c.memories.trace_summarize(model="m", traces=[TRACE]),
        "/backend-api/codex/memories/trace_summarize",
        "trace_summarize",
    ),
    "config.requirements": (lambda c: c.config.requirements(), f"{WHAM}/config/requirements", "requirements"),
    "config.bundle": (lambda c: c.config.bundle(), f"{WHAM}/config/bundle", "config_bundle"),
    "config.user_settings": (lambda c: c.config.user_settings(), f"{WHAM}/settings/user", "settings_user"),
    "config.user_preferences_config": (
        lambda c: c.config.user_preferences_config(),
        f"{WHAM}/settings/configs/user-preferences",
        {"schema": {}},
    ),
    "user_system_messages": (
        lambda c: c.user_system_messages.retrieve(),
        "/backend-api/user_system_messages",
        "user_system_messages",
    ),
    "workspace_messages": (lambda c: c.workspace_messages.list(), f"{WHAM}/workspace-messages", "workspace_messages"),
    "accounts.check": (lambda c: c.accounts.check(), f"{WHAM}/accounts/check", "accounts_check"),
    "profile": (lambda c: c.profile.retrieve(), f"{WHAM}/profiles/me", "profile_me"),
    "reset_credits.list": (
        lambda c: c.rate_limit_reset_credits.list(),
        f"{WHAM}/rate-limit-reset-credits",
        "rate_limit_reset_credits",
    ),
    "reset_credits.history": (
        lambda c: c.rate_limit_reset_credits.history(cursor="c"),
        f"{WHAM}/rate-limit-reset-credits/history?cursor=c",
        {"events": []},
    ),
    "usage_details.days": (
        lambda c: c.usage_details.daily_token_breakdown(),
        f"{WHAM}/usage/daily-token-usage-breakdown",
        {"data": []},
    ),
    "usage_details.credits": (
        lambda c: c.usage_details.credit_events(),
        f"{WHAM}/usage/credit-usage-events",
        {"data": []},
    ),
    "usage_details.threads": (
        lambda c: c.usage_details.threads(["a"]),
        f"{WHAM}/usage/thread_usage/query",
        {"threads": {}},
    ),
    "usage_details.task_usage": (
        lambda c: c.usage_details.task_usage([{"thread_id": "a"}]),
        f"{WHAM}/usage/thread_usage/query_v2",
        {"threads": {}},
    ),
    "usage_details.workspace_tokens": (
        lambda c: c.usage_details.workspace_token_usage(**DATES, modes=["a", "b"]),
        f"{WHAM}/usage/daily-workspace-user-token-usage-breakdown?{SPAN}&group_by=day&modes=a&modes=b",
        {"data": []},
    ),
    "usage_details.workspace_credits": (
        lambda c: c.usage_details.workspace_credit_usage(**DATES, breakdown="user"),
        f"{WHAM}/usage/daily-workspace-user-credit-usage?{SPAN}&breakdown=user",
        {"data": []},
    ),
    "usage_details.workspace_counts": (
        lambda c: c.usage_details.workspace_usage_counts(**DATES),
        f"{WHAM}/analytics/daily-workspace-usage-counts?{SPAN}",
        {"data": []},
    ),
}


def recorded(name):
    """Return a payload on record."""
    return json.loads((FIXTURES / f"{name}.json").read_text())


def answering(make_backend, payload, *, status=200):
    """Return a backend that answers everything with this payload."""
    return make_backend(Script(faults=[Fault.reply(status, payload, path="*", method="*")]))


@pytest.mark.parametrize("name", CALLS)
def test_each_endpoint_is_where_it_is(make_backend, face, name):
    """One request, to its own address, and the payload comes back whole."""
    call, address, payload = CALLS[name]
    payload = recorded(payload) if isinstance(payload, str) else payload
    backend = answering(make_backend, payload)
    found = face.run(backend, lambda one: call(one.codex))
    (request,) = backend.requests
    assert request.path + (f"?{request.query}" if request.query else "") == address
    assert found.raw == payload
    assert repr(found)


@pytest.mark.parametrize("name", CALLS)
def test_a_server_without_accounts_says_so(make_backend, face, name):
    """An OpenAI-compatible server is not asked at all."""
    backend = make_backend(Script())
    with pytest.raises(errors.UnsupportedByBackend) as caught:
        face.run(f"{backend.url}/v1", lambda one: CALLS[name][0](one.codex))
    assert caught.value.hint
    assert backend.requests == []


IDS = {
    "tasks.retrieve": lambda c, name: c.tasks.retrieve(name),
    "turns.list": lambda c, name: c.tasks.turns.list(name),
    "turns.retrieve": lambda c, name: c.tasks.turns.retrieve("t", name),
    "turns.sibling_turns": lambda c, name: c.tasks.turns.sibling_turns(name, "u"),
    "turns.logs": lambda c, name: c.tasks.turns.logs("t", name),
    "environments.retrieve": lambda c, name: c.environments.retrieve(name),
    "environments.by_repo": lambda c, name: c.environments.by_repo("github", "acme", name),
    "repositories.branches": lambda c, name: c.repositories.branches(name, "main"),
}


@pytest.mark.parametrize("call", IDS)
def test_an_id_cannot_lead_elsewhere(make_backend, face, call):
    """Nothing is sent for what is no id."""
    backend = make_backend(Script())
    for name in ("", " ", ".", "..", "a/b", "/", "../x", "a\\b", "a\nb", "\ud800", None, 5, b"x"):
        with pytest.raises(errors.InvalidOption):
            face.run(backend, lambda one, name=name: IDS[call](one.codex, name))
    assert backend.requests == []


@pytest.mark.parametrize("name", ["%2e%2e", "%2F", "..%2f", "a?b", "a#b", "a;b", "ä ~", "..."])
def test_an_odd_id_stays_one_part_of_the_path(make_backend, face, name):
    """The server reads it as it was passed."""
    backend = answering(make_backend, {"id": "e"})
    face.run(backend, lambda one: one.codex.environments.retrieve(name))
    assert backend.requests[0].path == f"{WHAM}/environments/{name}/with-creator-and-machine"
    assert backend.requests[0].query == ""


def test_no_value_of_an_environment_shows(make_backend, face):
    """Not in reprs, nor in those of its dicts; the values can be had by name, and survive pickling."""
    rows = recorded("environments")
    rows[0] |= {
        "env_vars": {"KEY": "hush-hush"},
        "secrets": {"TOKEN": "hush-hush"},
        "setup": "export X=hush-hush",
        "secrets_with_domains": [{"value": "hush-hush"}],
        "repo_map": {"r": {"clone_url": "https://u:hush-hush@host/r.git", "repository_full_name": "acme/widgets"}},
        "unheard_of": "hush-hush",
    }
    found = face.run(answering(make_backend, rows), lambda one: one.codex.environments.list())
    first = found[0]
    for shown in (found, first, first.env_vars, first.secrets, first.repo_map, [first], {"x": first.secrets}):
        assert "hush" not in repr(shown)
        assert "hush" not in str(shown)
    assert "KEY" in repr(first.env_vars)
    assert first.env_vars["KEY"] == first.secrets["TOKEN"] == "hush-hush"
    assert first.setup == ["export X=hush-hush"]
    assert first.repositories == ["acme/widgets"]
    assert [one.name for one in found] == ["acme/widgets", rows[1]["id"]]
    assert pickle.loads(pickle.dumps(first)).raw == rows[0]  # noqa: S301


@pytest.mark.parametrize("payload", [{}, {"error": {"message": "hush-hush"}}, 5, None, "x", {"environments": 5}, [5]])
def test_what_is_no_list_of_environments_is_said_to_be_none(make_backend, face, payload):
    """Not taken for an empty one, and not quoted."""
    backend = answering(make_backend, json.dumps(payload).encode())
    with pytest.raises(errors.MalformedStream) as caught:
        face.run(backend, lambda one: one.codex.environments.list())
    assert "hush" not in str(caught.value)
    assert len(Environments.model_validate([])) == 0


def test_an_unknown_payload_shows_its_fields_only(make_backend, face):
    """What it holds is not known to be harmless."""
    backend = answering(make_backend, {"id": "e", "secrets": {"T": "hush-hush"}})
    found = face.run(backend, lambda one: one.codex.environments.retrieve("e"))
    assert repr(found) == "Payload(fields=['id', 'secrets'])"
    assert found.secrets == {"T": "hush-hush"}


def test_requirements_are_toml_or_nothing(make_backend, face):
    """404, an empty object and null are all no requirements; another failure is one."""
    found = face.run(answering(make_backend, recorded("requirements")), lambda one: one.codex.config.requirements())
    assert found.required
    assert found.parsed()["allowed_approval_policies"] == ["on-request", "never"]
    assert found.updated.tzinfo is not None
    for payload, status in (({"detail": "Not Found"}, 404), ({}, 200), ({"contents": None}, 200)):
        backend = answering(make_backend, payload, status=status)
        none = face.run(backend, lambda one: one.codex.config.requirements())
        assert (none.required, none.contents, none.parsed()) == (False, None, {})
    with pytest.raises(errors.PermissionDeniedError):
        face.run(answering(make_backend, {}, status=403), lambda one: one.codex.config.requirements())


@pytest.mark.parametrize("contents", ["x", "a = ", "[" * 50_000, "a = [" + "[" * 5_000])
def test_requirements_that_are_no_toml_are_said_to_be_none(contents):
    """They can be read as a text all the same."""
    for record in (Requirements(contents=contents), ConfigFragment(contents=contents)):
        with pytest.raises(errors.MalformedStream):
            record.parsed()
        assert record.contents == contents


def test_accounts_are_listed_once_and_in_order():
    """The map's own name ``default`` is no id, and fields beside an account are kept."""
    rows = {
        "default": {"account": {"account_id": "b"}, "features": ["x"]},
        "a": {"account": {"account_id": "a", "plan_type": "plus"}},
        "b": {"account": {"account_id": "b", "plan_type": "team"}, "features": ["y"]},
        "c": {"plan_type": "free"},
        "d": None,
    }
    found = Accounts.model_validate(
        {"accounts": rows, "account_ordering": ["b", "gone", "a", "b"], "default_account_id": "a"}
    )
    assert [one.id for one in found] == ["b", "a", "c"]
    assert [one.plan_type for one in found] == ["team", "plus", "free"]
    assert found.default.account_id == "a"
    assert found.by_id["b"].features == ["y"]
    assert found.raw["accounts"] == rows
    assert Accounts.model_validate({"accounts": None}).default is None


class Trace(BaseModel):
    """A trace as a program of its own may have it."""

    id: str
    items: list[dict[str, str]] = []


def test_traces_of_any_kind_go_out_as_json(make_backend, face):
    """Dicts, models, and items of earlier answers."""
    backend = answering(make_backend, recorded("trace_summarize"))
    traces = (trace for trace in (TRACE, Trace(id="2", items=[{"a": "b"}]), {"id": "3", "items": (Trace(id="4"),)}))
    found = face.run(backend, lambda one: one.codex.memories.trace_summarize(model="m", traces=traces))
    assert backend.requests[0].body == {
        "model": "m",
        "traces": [TRACE, {"id": "2", "items": [{"a": "b"}]}, {"id": "3", "items": [{"id": "4", "items": []}]}],
    }
    assert [one.raw_memory for one in found.output] == [one.trace_summary for one in found.output]


@pytest.mark.parametrize("traces", [[], (), "x", TRACE, [5], [{"id": object()}], Trace(id="1"), None])
def test_what_is_no_trace_is_refused(make_backend, face, traces):
    """Before anything is sent."""
    backend = make_backend(Script())
    with pytest.raises(errors.InvalidOption):
        face.run(backend, lambda one: one.codex.memories.trace_summarize(model="m", traces=traces))
    assert backend.requests == []


def test_the_embedded_backend_is_read_from_end_to_end(make_backend, face):
    """Its own tasks, over pages, in detail, by turns and attempts; its environments and memories."""
    backend = make_backend(Script())

    async def story(one):
        codex = one.codex
        tasks = [task async for task in each((await got(codex.tasks.list(limit=2))).auto_paging())]
        details = [await got(codex.tasks.retrieve(task.id)) for task in tasks]
        for task, detail in zip(tasks, details, strict=True):
            assert (detail.id, detail.title) == (task.id, task.title)
            assert task.status in {None, detail.status}  # a list may leave out what the details tell
            turns = await got(codex.tasks.turns.list(task.id))
            assert turns.current.id == turns.current_turn_id
            assert turns.current.created is not None
            others = await got(codex.tasks.turns.sibling_turns(task.id, turns.current_turn_id))
            assert len(others) + 1 == detail.attempts
        assert (await got(codex.accounts.check())).default
        assert await got(codex.environments.list())
        assert (await got(codex.memories.list())).memory_max_tokens
        requirements = await got(codex.config.requirements())
        assert requirements.required == bool(requirements.parsed())
        assert (await got(codex.user_system_messages.retrieve())).enabled is not None
        return tasks, details

    tasks, details = tell(face, backend, story)
    assert len(tasks) > 2
    assert len({task.id for task in tasks}) == len(tasks)
    assert len([r for r in backend.requests if r.path.endswith("/tasks/list")]) == (len(tasks) + 1) // 2
    assert any(detail.diff for detail in details)
    assert any(detail.error for detail in details)
    assert any(detail.attempts > 1 for detail in details)
