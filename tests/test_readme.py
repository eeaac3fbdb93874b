"""What the documentation shows works as it stands there, and its links lead somewhere."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import timedelta
import json
from pathlib import Path
import re
from textwrap import dedent
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    async_fire_time_changed,
    async_mock_service,
)
import yaml

from custom_components.lrs_pager import coordinator
from custom_components.lrs_pager.condition import CONDITIONS
from custom_components.lrs_pager.sync.intervals import Intervals
from custom_components.lrs_pager.trigger import TRIGGERS
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.script import Script, async_validate_actions_config
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from tests.conftest import SetUp, serve_guest, settle
from tests.simulator import Simulator

ROOT = Path(__file__).parents[1]
DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = {path: path.read_text() for path in (ROOT / "README.md", *DOCS)}
TEXT = "\n".join(PAGES.values())
BLOCKS = [
    yaml.safe_load(dedent(block))
    for block in re.findall(r"^ *```yaml\n(.*?)```", TEXT, re.DOTALL | re.MULTILINE)
]
AUTOMATIONS = {block["alias"]: block for block in BLOCKS if "alias" in block}

# All that has links to pages of the repository.
LINKING = {
    path: path.read_text()
    for path in (
        *PAGES,
        ROOT / "CHANGELOG.md",
        ROOT / "CONTRIBUTING.md",
        *sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")),
        *sorted((ROOT / "blueprints").rglob("*.yaml")),
    )
}
INTEGRATION = ROOT / "custom_components" / "lrs_pager"
ACTIONS = yaml.safe_load((INTEGRATION / "services.yaml").read_text())
REPOSITORY = "https://github.com/ha-lrs-pager/lrs-pager"

# Milliseconds, of a clock that stands still but for them, in which anything that is to happen has
# happened.
PATIENCE = 20_000

type Until = Callable[[Callable[[], Any]], Awaitable[None]]


@pytest.fixture
def until(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> Until:
    """Wait for something to become so."""

    async def until(test: Callable[[], Any]) -> None:
        for _ in range(PATIENCE):
            if test():
                return
            freezer.tick(0.001)
            await asyncio.sleep(0)
            await hass.async_block_till_done()
        raise AssertionError("it did not happen")

    return until


@pytest.fixture
async def live(
    until: Until, simulator: Simulator, set_up: SetUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transmitter that tells of changes."""
    monkeypatch.setattr(coordinator, "INTERVALS", Intervals(read_delay=0.05, proof_age=0))
    entry = await set_up()
    await until(lambda: entry.runtime_data.follower.push.is_live)


type Automate = Callable[[str], Awaitable[None]]


@pytest.fixture
async def automate(hass: HomeAssistant, live: None) -> AsyncIterator[Automate]:
    """Set up an automation of the documentation, and leave none of its timers."""

    async def automate(alias: str) -> None:
        assert await async_setup_component(hass, "automation", {"automation": AUTOMATIONS[alias]})
        await hass.async_block_till_done()

    yield automate
    await hass.services.async_call("automation", "turn_off", {"entity_id": "all"}, blocking=True)


def test_there_are_five_automations() -> None:
    assert len(AUTOMATIONS) >= 5


async def test_the_manager_hears_of_each_late_guest_once(
    hass: HomeAssistant,
    simulator: Simulator,
    automate: Automate,
    until: Until,
    freezer: FrozenDateTimeFactory,
) -> None:
    sent = async_mock_service(hass, "notify", "send_message")
    await automate("A guest is late")
    unit = simulator.unit
    for number in (7, 8):
        with unit.at(unit.now() - timedelta(seconds=120 - 5 * (number - 6))):
            unit.create(number, goal=120)
    await until(lambda: hass.states.get("sensor.t7470_waiting_sessions").state == "2")
    for number in (7, 8):
        freezer.tick(7 if number == 7 else 5)
        async_fire_time_changed(hass)
        await until(lambda number=number: len(sent) == number - 6)
        assert sent[-1].data["message"] == f"Pager {number} waits for longer than promised."


async def test_the_table_is_announced_when_a_pager_comes_back_and_not_when_it_is_removed(
    hass: HomeAssistant,
    simulator: Simulator,
    automate: Automate,
    until: Until,
) -> None:
    spoken = async_mock_service(hass, "tts", "speak")
    await automate("Announce the cleared table")
    for number in (7, 8, 9):
        simulator.unit.create(number, label="Ortega", party_size=4)
    simulator.unit.remove(9)
    simulator.unit.clear(7)
    simulator.unit.clear(8)
    await until(lambda: len(spoken) == 2)
    messages = {call.data["message"] for call in spoken}
    assert messages == {
        "Pager 7, party of 4, is on the way to the table.",
        "Pager 8, party of 4, is on the way to the table.",
    }


@pytest.mark.polled
async def test_an_automation_that_waited_ends_the_session_that_it_is_about_and_no_other(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp
) -> None:
    sessions = [simulator.unit.create(number) for number in (7, 8)]
    await set_up()
    [clear] = [block for block in BLOCKS if "session_id" in block.get("data", {})]
    assert await async_setup_component(hass, "script", {"script": {"run": {"sequence": [clear]}}})
    simulator.unit.clear(7)
    simulator.unit.create(7)  # the next guest's
    refused = []
    for session in sessions:
        trigger = {"number": session.number, "session_id": session.uuid}
        try:
            await hass.services.async_call("script", "run", {"trigger": trigger}, blocking=True)
        except ServiceValidationError:
            refused.append(session.number)
    assert refused == [7]
    assert list(simulator.unit.active) == [7]


async def test_a_pager_that_does_not_come_back_is_reported(
    hass: HomeAssistant,
    simulator: Simulator,
    automate: Automate,
    until: Until,
    freezer: FrozenDateTimeFactory,
) -> None:
    sent = async_mock_service(hass, "notify", "send_message")
    await automate("A pager has not come back")
    for number in (7, 8):
        simulator.unit.create(number)
        simulator.unit.page(number)
    await until(lambda: hass.states.get("sensor.t7470_paged_sessions").state == "2")
    for minutes, expected in ((14, 0), (2, 2)):
        freezer.tick(timedelta(minutes=minutes))
        async_fire_time_changed(hass)
        await settle(hass)
        await until(lambda expected=expected: len(sent) >= expected)
        assert len(sent) == expected
    assert {call.data["message"] for call in sent} == {
        f"Pager {number} was paged 15 minutes ago and is not back." for number in (7, 8)
    }


async def test_the_day_is_summed_up_at_closing_time(
    hass: HomeAssistant,
    simulator: Simulator,
    automate: Automate,
    until: Until,
    freezer: FrozenDateTimeFactory,
) -> None:
    sent = async_mock_service(hass, "notify", "send_message")
    # Closing time is later today, whenever the tests are run.
    freezer.move_to(dt_util.now().replace(hour=12))
    await automate("The day at the door")
    closing = dt_util.now().replace(hour=23, minute=0, second=0, microsecond=0)
    freezer.move_to(closing - timedelta(minutes=10))
    serve_guest(simulator.unit, wait=600, goal=900)
    await until(lambda: hass.states.get("sensor.t7470_daily_count").state == "1")
    freezer.move_to(closing)
    async_fire_time_changed(hass)
    await until(lambda: sent)
    assert sent[0].data["message"] == (
        "1 sessions today, average wait 10 minutes, longest 10, 100 % called on time."
    )


async def test_the_light_is_on_while_many_guests_wait(
    hass: HomeAssistant,
    simulator: Simulator,
    automate: Automate,
    until: Until,
) -> None:
    on = async_mock_service(hass, "light", "turn_on")
    off = async_mock_service(hass, "light", "turn_off")
    await automate("Busy-hour light")
    simulator.unit.create(7, party_size=6)
    await until(lambda: hass.states.get("sensor.t7470_guests_waiting").state == "6")
    simulator.unit.create(8, party_size=5)
    await until(lambda: on)
    assert not off
    simulator.unit.page(7)
    await until(lambda: off)
    assert (len(on), len(off)) == (1, 1)


def test_every_entity_that_is_named_exists() -> None:
    """By its key: a typing error would leave a card empty."""
    entities = set(re.findall(r"\b(?:sensor|binary_sensor|event)\.t7470_\w+", TEXT))
    assert "sensor.t7470_daily_count" in entities
    # Those that an example makes.
    entities -= set(re.findall(r"default_entity_id: (\S+)", TEXT))
    snapshots = (Path(__file__).parent / "snapshots" / "test_entities.ambr").read_text()
    assert not {entity for entity in entities if f"[{entity}-state]" not in snapshots}


# ------------------------------------------------------------- every trigger, condition, action


@pytest.mark.parametrize(
    ("page", "keys"),
    [("triggers", TRIGGERS), ("conditions", CONDITIONS), ("actions", ACTIONS)],
)
def test_each_has_a_section_of_its_own_with_an_example(page: str, keys: Iterable[str]) -> None:
    sections = re.split(r"^##+ ", PAGES[ROOT / "docs" / f"{page}.md"], flags=re.MULTILINE)[1:]
    for key in keys:
        [section] = [
            section
            for section in sections
            if re.search(rf"^(?:`lrs_pager\.{key}`|lrs_pager\.{key})$", section, re.MULTILINE)
        ]
        assert "```yaml" in section, key
        assert f": lrs_pager.{key}\n" in section, key


@pytest.mark.parametrize("page", ["triggers", "conditions"])
def test_how_to_choose_one_in_the_interface_says_its_name_there(page: str) -> None:
    named = re.findall(
        r"^3\. Choose \*(.+?)\*\.", PAGES[ROOT / "docs" / f"{page}.md"], re.MULTILINE
    )
    words = json.loads((INTEGRATION / "translations" / "en.json").read_text())[page]
    keys = {"triggers": TRIGGERS, "conditions": CONDITIONS}[page]
    assert sorted(named) == sorted(words[key]["name"] for key in keys)


@pytest.mark.parametrize(
    ("page", "described"), [("triggers", "triggers"), ("conditions", "conditions")]
)
def test_every_option_is_told_of(page: str, described: str) -> None:
    text = PAGES[ROOT / "docs" / f"{page}.md"]
    fields = {
        field
        for key, one in yaml.safe_load((INTEGRATION / f"{described}.yaml").read_text()).items()
        if not key.startswith(".")
        for field in one.get("fields", {})
    }
    assert fields
    assert not {field for field in fields if f"| `{field}` |" not in text}


def test_every_field_of_every_action_is_told_of() -> None:
    sections = PAGES[ROOT / "docs" / "actions.md"].split("\n### lrs_pager.")[1:]
    told = {
        section.split("\n")[0]: set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))
        for section in sections
    }
    assert told == {key: set(one["fields"]) for key, one in ACTIONS.items()}


async def test_each_trigger_and_condition_is_taken_as_it_is_shown(
    hass: HomeAssistant, live: None
) -> None:
    shown = [block for block in BLOCKS if {"triggers", "conditions"} & set(block)]
    assert len(shown) >= len(TRIGGERS) + len(CONDITIONS)
    automations = [
        {"alias": f"{index}", "triggers": [], "actions": [], **block}
        for index, block in enumerate(shown)
    ]
    assert await async_setup_component(hass, "automation", {"automation": automations})
    await hass.async_block_till_done()
    states = [state.state for state in hass.states.async_all("automation")]
    assert states == ["on"] * len(shown)
    await hass.services.async_call("automation", "turn_off", {"entity_id": "all"}, blocking=True)


async def test_each_action_is_taken_as_it_is_shown(
    hass: HomeAssistant, simulator: Simulator, live: None
) -> None:
    shown = [
        block
        for block in BLOCKS
        if str(block.get("action")).startswith("lrs_pager.")
        and "session_id" not in block.get("data", {})
    ]
    assert {block["action"].removeprefix("lrs_pager.") for block in shown} == set(ACTIONS)
    for block in shown:
        if block["action"] == "lrs_pager.remove_session":
            simulator.unit.create(12)  # the example before has ended it
        actions = await async_validate_actions_config(hass, [block])
        await Script(hass, actions, "shown", "script").async_run(context=Context())
    assert [session["clearType"] for session in simulator.unit.history] == ["STOP", "REMOVED"]
    assert [page.number for page in simulator.unit.pages] == [12, 3]


# ------------------------------------------------------------------------------- the pages


def test_the_readme_is_short() -> None:
    assert len(PAGES[ROOT / "README.md"].splitlines()) <= 200


def test_every_page_is_linked_from_the_readme() -> None:
    readme = PAGES[ROOT / "README.md"]
    assert not [path.name for path in DOCS if f"(docs/{path.name}" not in readme]


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    text = re.sub(r"^ *```.*?^ *```", "", path.read_text(), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", LINKING, ids=lambda path: path.name)
def test_every_link_leads_to_something_that_is_there(path: Path) -> None:
    text = LINKING[path]
    lost = []
    for link in re.findall(r"\]\(([^)\s]+)\)|src=\"([^\"]+)\"|(https://github\.com/ha-\S+)", text):
        target = "".join(link).rstrip(".,:)>")
        if target.startswith(f"{REPOSITORY}/blob/main/"):
            base, target = ROOT, target.removeprefix(f"{REPOSITORY}/blob/main/")
        elif template := re.fullmatch(rf"{REPOSITORY}/issues/new\?template=(.+)", target):
            base, target = ROOT, f".github/ISSUE_TEMPLATE/{template[1]}"
        elif re.match(r"https?://", target):
            continue
        else:
            base = path.parent
        name, _, anchor = target.partition("#")
        page = (base / name).resolve() if name else path
        if not page.exists() or (anchor and anchor not in anchors(page)):
            lost.append(target)
    assert not lost


def test_every_picture_is_shown_somewhere() -> None:
    pictures = {path.name for path in (ROOT / "docs").iterdir()} - {path.name for path in DOCS}
    assert not {name for name in pictures if name not in TEXT}
