"""Who may use the actions: as Home Assistant has it for what entities do."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import CLIENT_ID
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator, WebSocketGenerator

from custom_components.lrs_pager.const import DOMAIN
from homeassistant.auth.const import GROUP_ID_ADMIN, GROUP_ID_READ_ONLY, GROUP_ID_USER
from homeassistant.auth.models import Group, User
from homeassistant.auth.permissions.const import POLICY_CONTROL, POLICY_READ
from homeassistant.core import Context, HomeAssistant, SupportsResponse
from homeassistant.exceptions import Unauthorized, UnknownUser
from homeassistant.setup import async_setup_component
from tests.conftest import SetUp, local_time
from tests.simulator import Simulator, Unit

# The actions, each with what it needs; in this order, each can be done.
WRITING: dict[str, dict[str, Any]] = {
    "start_session": {"number": 7},
    "update_session": {"number": 7, "party_size": 5},
    "page_session": {"number": 7},
    "clear_session": {"number": 7},
    "remove_session": {"number": 8},
    "send_page": {"number": 31},
}
READING: dict[str, dict[str, Any]] = {
    "get_sessions": {},
    "get_history": {},
    "get_pattern": {},
    "get_pagers": {},
    "get_quote": {"party_size": 2},
    "evaluate_quotes": {},
}

type UserOf = Callable[..., Awaitable[User]]


@pytest.fixture
def user_of(hass: HomeAssistant) -> UserOf:
    """Make a user of a group; of a new one, if its policy for entities is given."""

    async def user_of(group: str, policy: dict[str, Any] | None = None) -> User:
        if policy is not None:
            groups = hass.auth._store._groups
            groups[group] = Group(name=group, id=group, policy={"entities": policy})
        # The first who is not of the system owns the house, and may do anything.
        if not [user for user in await hass.auth.async_get_users() if user.is_owner]:
            await hass.auth.async_create_user("owner", group_ids=[GROUP_ID_ADMIN])
        return await hass.auth.async_create_user(group, group_ids=[group])

    return user_of


async def act(
    hass: HomeAssistant, user_id: str | None, action: str, fields: dict[str, Any]
) -> None:
    """Have a user call an action."""
    await hass.services.async_call(
        DOMAIN,
        action,
        fields,
        blocking=True,
        context=Context(user_id=user_id),
        return_response=hass.services.supports_response(DOMAIN, action) is SupportsResponse.ONLY,
    )


async def allowed(hass: HomeAssistant, user_id: str | None, **more: Any) -> set[str]:
    """The actions that a user may call."""
    done, refused = set(), {}
    for action, fields in (WRITING | READING).items():
        try:
            await act(hass, user_id, action, fields | more)
        except Unauthorized as err:
            refused[action] = err.user_id, err.permission
        else:
            done.add(action)
    assert refused == {
        action: (user_id, POLICY_READ if action in READING else POLICY_CONTROL)
        for action in refused
    }
    return done


def commands(simulator: Simulator) -> int:
    return sum(request.code != "GET" for request in simulator.requests)


async def test_who_may_only_look_can_neither_page_nor_clear(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, user_of: UserOf
) -> None:
    simulator.unit.create(8)
    await set_up()
    user = await user_of(GROUP_ID_READ_ONLY)
    assert await allowed(hass, user.id) == set(READING)
    assert commands(simulator) == 0


@pytest.mark.parametrize("group", [GROUP_ID_USER, GROUP_ID_ADMIN])
async def test_who_may_use_the_house_may_use_pagers(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, user_of: UserOf, group: str
) -> None:
    simulator.unit.create(8)
    await set_up()
    user = await user_of(group)
    assert await allowed(hass, user.id) == set(WRITING) | set(READING)
    assert commands(simulator) == len(WRITING)


async def test_an_automation_is_nobody_and_may_use_pagers(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    simulator.unit.create(8)
    await set_up()
    assert await allowed(hass, None) == set(WRITING) | set(READING)
    automation = {
        "triggers": {"trigger": "event", "event_type": "bell"},
        "actions": {"action": "lrs_pager.page_session", "data": {"number": 9}},
    }
    assert await async_setup_component(hass, "automation", {"automation": automation})
    simulator.unit.create(9)
    hass.bus.async_fire("bell")
    await hass.async_block_till_done(wait_background_tasks=False)
    assert simulator.unit.active[9].state == "paged"


async def test_whom_nobody_knows_may_do_nothing(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    await set_up()
    for action, fields in (WRITING | READING).items():
        with pytest.raises(UnknownUser) as caught:
            await act(hass, "gone", action, fields)
        assert caught.value.user_id == "gone"
    assert commands(simulator) == 0


@pytest.mark.parametrize(
    ("permissions", "actions"),
    [
        ({"read": True, "control": True}, {*WRITING, *READING}),
        ({"control": True}, {*WRITING}),
        ({"read": True}, {*READING}),
    ],
    ids=["both", "control", "read"],
)
async def test_who_may_use_one_transmitter_may_use_that_and_no_other(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    user_of: UserOf,
    permissions: dict[str, bool],
    actions: set[str],
) -> None:
    async with Simulator(unit=Unit(now=local_time)) as other:
        t7470, bar = await set_up(), await set_up(other, title="Bar")
        for unit in (simulator.unit, other.unit):
            unit.create(8)
        policy = {"entity_ids": {"sensor.bar_active_sessions": permissions}}
        user = await user_of("barkeepers", policy)
        assert await allowed(hass, user.id, config_entry_id=t7470.entry_id) == set()
        assert await allowed(hass, user.id, config_entry_id=bar.entry_id) == actions
        assert commands(simulator) == 0
        await hass.config_entries.async_unload(bar.entry_id)


# ------------------------------------------------------------------------- what users are told


async def token(hass: HomeAssistant, user: User) -> str:
    """What a user's browser has after logging in."""
    refresh_token = await hass.auth.async_create_refresh_token(user, CLIENT_ID)
    return hass.auth.async_create_access_token(refresh_token)


async def test_over_rest_the_answer_is_unauthorized(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    user_of: UserOf,
    hass_client: ClientSessionGenerator,
) -> None:
    await set_up()
    assert await async_setup_component(hass, "api", {})
    client = await hass_client(await token(hass, await user_of(GROUP_ID_READ_ONLY)))
    for path, fields in (
        *((f"{DOMAIN}/{action}", fields) for action, fields in WRITING.items()),
        ("button/press", {"entity_id": "button.t7470_set_clock"}),
    ):
        answer = await client.post(f"/api/services/{path}", json=fields)
        assert answer.status == HTTPStatus.UNAUTHORIZED
    for action, fields in READING.items():
        answer = await client.post(f"/api/services/{DOMAIN}/{action}?return_response", json=fields)
        assert answer.status == HTTPStatus.OK
    assert commands(simulator) == 0


async def test_over_websocket_the_answer_is_that_of_home_assistants_own_actions(
    hass: HomeAssistant,
    simulator: Simulator,
    set_up: SetUp,
    user_of: UserOf,
    hass_ws_client: WebSocketGenerator,
) -> None:
    await set_up()
    client = await hass_ws_client(hass, await token(hass, await user_of(GROUP_ID_READ_ONLY)))
    errors = []
    for domain, action, fields in (
        ("button", "press", {"entity_id": "button.t7470_set_clock"}),
        *((DOMAIN, action, fields) for action, fields in WRITING.items()),
    ):
        await client.send_json_auto_id(
            {"type": "call_service", "domain": domain, "service": action, "service_data": fields}
        )
        answer = await client.receive_json()
        assert not answer["success"]
        errors.append((answer["error"]["code"], answer["error"]["message"]))
    assert errors[0][1] == "Unauthorized"
    assert set(errors) == {errors[0]}
    assert commands(simulator) == 0
