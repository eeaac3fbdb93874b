"""A chain of restaurants (docs/chain.md): scripts/chain tries it with servers, this with none."""

from datetime import datetime, timedelta
from pathlib import Path
import re

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed
import yaml

from chain.figures import Figures, differences, of_ledger
from chain.page import PAGE, SHOWN, block, names
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from tests.conftest import SetUp, serve_guest
from tests.simulator import Simulator, Unit

NOON = datetime(2026, 11, 20, 12)
REQUIREMENTS = PAGE.parents[1] / "requirements"
SCRIPT = "".join(file.read_text() for file in sorted((PAGE.parents[1] / "chain").glob("*.py")))
RIGHT = {"berlin": Figures(sessions=3, late=1, mean_wait=5.0, waiting=2)}


def test_every_block_of_code_on_the_page_is_what_the_script_uses() -> None:
    blocks = re.findall(r"^```\w", PAGE.read_text(), re.MULTILINE)
    assert len(blocks) == len(names()) > 10
    for name in names():
        assert f'"{name}"' in SCRIPT, f"the script does not use {name!r}"


def test_the_chain_is_tried_with_the_home_assistant_of_the_demo() -> None:
    demo, chain = (
        {line for line in (REQUIREMENTS / name).read_text().splitlines() if "==" in line}
        for name in ("demo.txt", "chain.txt")
    )
    assert any(line.startswith("homeassistant==") for line in demo)
    assert demo < chain


def test_the_page_has_each_block_once() -> None:
    for name in names():
        assert block(name).strip()


@pytest.mark.parametrize("name", [name for name in names() if ".y" in name])
def test_configuration_is_yaml_that_names_no_restaurant_but_the_one_that_is_shown(
    name: str,
) -> None:
    assert yaml.safe_load(block(name))
    assert "example.com" not in block(name).replace("db.example.com", "").replace(
        f"{SHOWN}.example.com", ""
    )


def test_one_configuration_can_have_all_that_the_page_shows() -> None:
    """Each is a part of the same file: a key that is there twice would hide one of them."""
    parts = [yaml.safe_load(block(name)) for name in names() if name.startswith("configuration")]
    keys = [key for part in parts for key in part]
    assert sorted(keys) == ["influxdb", "mqtt_statestream", "prometheus", "recorder", "template"]


def test_a_block_that_lacks_what_is_to_be_replaced_is_refused() -> None:
    with pytest.raises(KeyError, match="no 'elsewhere'"):
        block("prometheus.yml", {"elsewhere": "here"})
    with pytest.raises(KeyError, match="0 blocks"):
        block("no such block")


@pytest.mark.parametrize("expected_lingering_timers", [True])  # it has no end
async def test_late_and_paged_sessions_of_the_day_are_counted_each_minute(
    hass: HomeAssistant, simulator: Simulator, set_up: SetUp, freezer: FrozenDateTimeFactory
) -> None:
    unit = simulator.unit
    freezer.move_to(dt_util.now().replace(hour=12))
    serve_guest(unit, 4, minutes_ago=50, wait=301, goal=300)  # within the second that is let pass
    serve_guest(unit, 5, minutes_ago=40, wait=302, goal=300)
    serve_guest(unit, 6, minutes_ago=30, wait=900, goal=300)
    unit.create(7)
    unit.remove(7)  # never paged
    await set_up()
    configuration = yaml.safe_load(block("configuration.yaml: what no sensor tells"))
    assert await async_setup_component(hass, "template", configuration)
    await hass.async_block_till_done()
    freezer.tick(timedelta(minutes=1))
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    assert hass.states.get("sensor.t7470_late_today").state == "2"
    assert hass.states.get("sensor.t7470_paged_today").state == "3"


def test_the_ledger_answers_what_is_asked_of_the_servers() -> None:
    unit = Unit(now=lambda: NOON)
    serve_guest(unit, 4, minutes_ago=60 * 24, wait=600, goal=300)  # the day before
    serve_guest(unit, 4, minutes_ago=50, wait=301, goal=300)
    serve_guest(unit, 5, minutes_ago=40, wait=302, goal=300)
    serve_guest(unit, 6, minutes_ago=30, wait=297, goal=300, removed=True)
    unit.create(7)
    unit.create(8)
    unit.page(8)
    midnight = NOON.replace(hour=0)
    assert of_ledger(unit, midnight) == Figures(sessions=3, late=1, mean_wait=5.0, waiting=1)


def test_figures_that_are_right_but_for_rounding_make_no_difference() -> None:
    told = Figures(sessions=3, late=1, mean_wait=5.005, waiting=2)
    assert not differences(RIGHT, {"berlin": told})


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ({}, "berlin: nothing"),
        ({"berlin": Figures(sessions=4, late=1, mean_wait=5.0, waiting=2)}, "sessions is 4"),
        ({"berlin": Figures(sessions=3, late=None, mean_wait=5.0, waiting=2)}, "late is None"),
        ({"berlin": Figures(sessions=3, late=1, mean_wait=5.02, waiting=2)}, "mean_wait is 5.02"),
        (RIGHT | {"rome": RIGHT["berlin"]}, "rome: there is no such restaurant"),
    ],
)
def test_a_figure_that_is_told_wrong_or_not_at_all_is_found(
    told: dict[str, Figures], found: str
) -> None:
    (line,) = differences(RIGHT, told)
    assert found in line


def test_a_server_that_is_not_installed_is_named_by_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chain import server  # noqa: PLC0415

    class Missing(server.Server):
        package = "no-such-package"
        program = "no-such-program"

    with pytest.raises(server.ServerError, match="apt-get install no-such-package"):
        Missing(tmp_path, ["berlin"])
