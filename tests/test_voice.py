"""Voice: real sentences to a real Home Assistant, those of the blueprint and those of users."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
import re
import shutil
import sys
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from custom_components.lrs_pager import intent as voice
from custom_components.lrs_pager.const import DOMAIN, LANGUAGES
from homeassistant.components import conversation
from homeassistant.components.homeassistant.exposed_entities import async_expose_entity
from homeassistant.core import Context, HomeAssistant
from homeassistant.helpers import area_registry as ar, device_registry as dr, llm
from homeassistant.setup import async_setup_component
from tests.conftest import SetUp, local_time, poll
from tests.simulator import Simulator, Unit
from tests.test_translations import FOLDER as TRANSLATIONS, words

ROOT = Path(__file__).parents[1]
BLUEPRINTS = ROOT / "blueprints" / "automation" / "lrs_pager"

# What is said in each language: the wait for four, who waits, whether somebody is late, and a page
# of 12; each as it may be written down, and at the bar.
SENTENCES = {
    "en": [
        "How long is the wait for four people?",
        "Who's waiting?",
        "Is anybody late?",
        "Page number twelve.",
        "Page 12 at the bar",
    ],
    "de": [
        "Wie lange ist die Wartezeit für vier Personen?",
        "Wer wartet gerade?",
        "Wartet jemand zu lange?",
        "Rufe Pager zwölf!",
        "Ruf Nummer 12 an der Bar",
    ],
    "es": [
        "¿Cuánto hay que esperar para cuatro personas?",
        "¿Quién está esperando?",
        "¿Hay alguien esperando demasiado?",
        "Avisa al número doce",
        "Avisa al avisador 12 en el bar",
    ],
    "fr": [
        "Combien de temps d'attente pour quatre couverts ?",
        "Qui attend ?",
        "Est-ce que quelqu'un attend trop longtemps ?",
        "Bipe le numéro douze.",
        "Bipez le 12 au Bar",
    ],
    "it": [
        "Quanto c'è da aspettare per quattro persone?",
        "Chi sta aspettando?",
        "C'è qualcuno che aspetta troppo?",
        "Chiama il pager dodici.",
        "Chiama il numero 12 al bar",
    ],
    "nl": [
        "Hoe lang is de wachttijd voor vier personen?",
        "Wie wacht er?",
        "Wacht er iemand te lang?",
        "Roep pager twaalf op.",
        "Roep nummer 12 op bij de bar",
    ],
    "pl": [
        "Ile się czeka dla czterech osób?",
        "Kto czeka?",
        "Czy ktoś czeka za długo?",
        "Wezwij pager dwanaście.",
        "Wezwij gościa numer 12 w barze",
    ],
    "pt-BR": [
        "Quanto tempo de espera para quatro pessoas?",
        "Quem está aguardando?",
        "Alguém está esperando demais?",
        "Chame o pager doze.",
        "Chama o número 12 no bar",
    ],
    "sv": [
        "Hur lång är väntan för fyra personer?",
        "Vem väntar?",
        "Väntar någon för länge?",
        "Kalla på nummer tolv.",
        "Kalla på pager 12 i baren",
    ],
}

type Say = Callable[..., Awaitable[str]]
type Use = Callable[..., Awaitable[None]]
type AddOther = Callable[[str], Awaitable[tuple[Simulator, MockConfigEntry]]]


@pytest.fixture
async def say(hass: HomeAssistant) -> Say:
    """Say something to Home Assistant's own assistant, and hear what it answers."""
    assert await async_setup_component(hass, "homeassistant", {})
    assert await async_setup_component(hass, "conversation", {})

    async def say(text: str, language: str = "en", user: MockUser | None = None) -> str:
        context = Context(user_id=user.id if user else None)
        result = await conversation.async_converse(hass, text, None, context, language)
        speech: str = result.response.speech["plain"]["speech"]
        return speech

    return say


@pytest.fixture
async def use(hass: HomeAssistant, say: Say) -> AsyncIterator[Use]:
    """Make an automation of the blueprint."""
    target = Path(hass.config.path("blueprints/automation/lrs_pager"))
    await hass.async_add_executor_job(shutil.copytree, BLUEPRINTS, target)

    async def use(**inputs: Any) -> None:
        config = {"use_blueprint": {"path": "lrs_pager/voice.yaml", "input": inputs}}
        assert await async_setup_component(hass, "automation", {"automation": config})
        await hass.async_block_till_done()
        [automation] = hass.states.async_all("automation")
        assert automation.state == "on", "the blueprint could not be used"

    yield use
    await hass.services.async_call("automation", "turn_off", {"entity_id": "all"}, blocking=True)


@pytest.fixture
async def entry(set_up: SetUp) -> MockConfigEntry:
    """A transmitter in the bar."""
    return await set_up()


@pytest.fixture
async def add_other(hass: HomeAssistant, set_up: SetUp) -> AsyncIterator[AddOther]:
    """Add another transmitter; return it and its entry, which is removed at the end."""
    added: list[MockConfigEntry] = []
    async with Simulator(unit=Unit(now=local_time), pings_at_once=True) as other:

        async def add_other(title: str) -> tuple[Simulator, MockConfigEntry]:
            added.append(await set_up(other, title=title))
            return other, added[-1]

        yield add_other
        for entry in added:
            await hass.config_entries.async_remove(entry.entry_id)


def put_into(hass: HomeAssistant, entry: MockConfigEntry, area: str, *aliases: str) -> None:
    """Put a transmitter into an area."""
    areas, devices = ar.async_get(hass), dr.async_get(hass)
    found = areas.async_get_or_create(area)
    areas.async_update(found.id, aliases=set(aliases))
    [device] = dr.async_entries_for_config_entry(devices, entry.entry_id)
    devices.async_update_device(device.id, area_id=found.id)


def come(unit: Unit, number: int, minutes_ago: float = 3, **fields: Any) -> None:
    """Have a guest come."""
    with unit.at(unit.now() - timedelta(minutes=minutes_ago)):
        unit.create(number, **{"goal": 3_600, "party_size": 4} | fields)


def is_paged(simulator: Simulator, number: int) -> bool:
    """Whether the transmitter has paged a pager."""
    return simulator.unit.active[number].notified is not None


def text(language: str, key: str, **values: object) -> str:
    """A text of translations/."""
    said: str = words(language)["common"][key].format(**values)
    return said


def error(language: str, key: str, **values: object) -> str:
    """A text of an error of translations/."""
    said: str = words(language)["exceptions"][key]["message"].format(**values)
    return said


def test_the_languages_are_those_that_there_are_words_in() -> None:
    assert set(LANGUAGES) == {file.stem for file in TRANSLATIONS.iterdir()} == set(SENTENCES)


# ---------------------------------------------------------------------- the blueprint


@pytest.mark.parametrize("language", SENTENCES)
async def test_each_language_is_understood_and_answered_in_itself(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    say: Say,
    use: Use,
    language: str,
) -> None:
    wait, waiting, late, page, page_there = SENTENCES[language]
    await use()
    come(simulator.unit, 12, label="Ortega")
    come(simulator.unit, 7, minutes_ago=9)
    await poll(hass, entry)
    # Without a history there is no quote, which it says with the parties that are ahead.
    answer = text(language, "explanation_too_few_sessions", parties=2)
    assert await say(wait, language) == answer
    answer = text(language, "voice_waiting", count=2, pagers="7, 12")
    assert await say(waiting, language) == answer
    assert await say(late, language) == text(language, "voice_nobody_late")
    assert not is_paged(simulator, 12)
    assert await say(page, language) == text(language, "said_paged", number=12)
    assert is_paged(simulator, 12)
    # The transmitter is not there, until it is.
    there = error(language, "not_called_so", name="", names="T7470").partition(".")[0]
    assert (await say(page_there, language))[:10] == there[:10]
    put_into(hass, entry, "Bar", "barze", "baren")
    assert await say(page_there, language) == text(language, "said_paged", number=12)
    # No session was ended.
    assert set(simulator.unit.active) == {7, 12}


async def test_who_is_late_is_told_the_longest_wait_first_and_nobody_if_nobody_waits(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, say: Say, use: Use
) -> None:
    await use()
    assert await say("who is waiting") == "Nobody is waiting."
    for number, minutes in ((7, 5), (8, 9), (9, 2)):
        come(simulator.unit, number, minutes, goal=180, label="Ortega")
    await poll(hass, entry)
    answer = "Late: 2. The pagers, the longest wait first: 8, 7."
    assert await say("is anyone late", "en-GB") == answer
    for number in range(20, 40):
        come(simulator.unit, number, 60 - number)
    await poll(hass, entry)
    assert (await say("who is waiting")).startswith("Waiting: 23. ")
    assert (await say("who is waiting")).endswith(" 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, ….")


@pytest.mark.parametrize(
    ("say_names", "label", "said"),
    [
        (False, "Ortega", "7"),
        (True, None, "7"),
        (True, "Ana-María O'Neill", "7 Ana-María O'Neill"),
        # A name is no template, no markup, and no speech.
        (True, "{{ 6 * 7 }}", "7 6   7"),
        (True, "<break time=9s/>", "7 break time 9s"),
        (True, "x" * 60, f"7 {'x' * 40}"),
    ],
)
async def test_names_are_said_only_if_that_was_chosen(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    say: Say,
    use: Use,
    say_names: bool,
    label: str | None,
    said: str,
) -> None:
    await use(**({"say_names": True} if say_names else {}))
    come(simulator.unit, 7, label=label)
    await poll(hass, entry)
    assert await say("who is waiting") == (
        f"Waiting: 1. The pagers, the longest wait first: {said}."
    )


@pytest.mark.parametrize(
    ("sentence", "answer"),
    [
        ("page my mother", "This is not a number: my mother."),
        ("page 12 and 13", "This is not a number: 12 and 13."),
        ("page twelve 5", "This is not a number: twelve 5."),
        ("page 0", "Number 0 stands for every pager, and is refused."),
        ("page 31", "Pager 31 has no active session."),
        ("how long is the wait for none", "This is not a number: none."),
        ("how long is the wait for 0 people", "This is not a number: 0."),
        ("page 12 at home", "No transmitter is called home. There are: T7470."),
    ],
)
async def test_what_was_not_understood_is_not_guessed_and_the_answer_says_so(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    say: Say,
    use: Use,
    sentence: str,
    answer: str,
) -> None:
    await use()
    come(simulator.unit, 12)
    come(simulator.unit, 5)
    await poll(hass, entry)
    assert await say(sentence) == answer
    assert not is_paged(simulator, 12)
    assert not is_paged(simulator, 5)


@pytest.mark.logs("does not answer")
async def test_a_transmitter_that_does_not_answer_is_told_as_such(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    say: Say,
    use: Use,
    short_timeouts: None,
) -> None:
    await use()
    come(simulator.unit, 12)
    await poll(hass, entry)
    simulator.faults.silence = True
    assert await say("ruf Pager 12", "de") == error("de", "maybe_done")
    await poll(hass, entry)
    assert await say("wer wartet", "de") == error("de", "not_loaded", title="T7470")


async def test_of_several_transmitters_the_one_that_is_named_is_meant_or_the_one_chosen(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    add_other: AddOther,
    say: Say,
    use: Use,
) -> None:
    other, terrace = await add_other("Terrace")
    put_into(hass, entry, "Bar")
    put_into(hass, terrace, "Terrace bar", "garden")
    for unit in (simulator.unit, other.unit):
        come(unit, 12)
    await poll(hass, entry)
    await poll(hass, terrace)
    await use()
    question = "Which transmitter do you mean: T7470, Terrace?"
    assert await say("page 12") == await say("who is waiting") == question
    assert not is_paged(simulator, 12)
    assert not is_paged(other, 12)
    assert await say("page 12 in the garden") == "Pager 12 paged"
    assert (is_paged(simulator, 12), is_paged(other, 12)) == (False, True)
    other.unit.clear(12)
    await poll(hass, terrace)
    for place in ("at the terrace", "at the terrace bar", "in the Garden"):
        assert await say(f"who is waiting {place}") == "Nobody is waiting."
    assert (await say("who is waiting at the bar")).startswith("Waiting: 1.")
    await hass.config_entries.async_unload(terrace.entry_id)
    assert await say("page 12 at the terrace") == "Terrace is not connected."


async def test_a_guest_of_another_transmitter_is_not_paged_where_a_name_is_heard_in_part(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    add_other: AddOther,
    say: Say,
    use: Use,
) -> None:
    other, second = await add_other("T7470 (2)")
    for unit in (simulator.unit, other.unit):
        come(unit, 12)
    await poll(hass, entry)
    await poll(hass, second)
    await use()
    question = "Which transmitter do you mean: T7470, T7470 (2)?"
    assert await say("page 12 at T7470 two") == question
    put_into(hass, entry, "Bar")
    put_into(hass, second, "Terrace")
    question = "Which transmitter do you mean: T7470, T7470 (2)?"
    assert await say("page 12 at the bar and terrace") == question
    assert not is_paged(simulator, 12)
    assert not is_paged(other, 12)
    assert await say("page 12 at T7470 2") == "Pager 12 paged"
    assert (is_paged(simulator, 12), is_paged(other, 12)) == (False, True)
    assert await say("page 12 at the T7470") == "Pager 12 paged"
    assert is_paged(simulator, 12)


async def test_the_chosen_transmitter_is_meant_unless_another_is_named(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    add_other: AddOther,
    say: Say,
    use: Use,
) -> None:
    _, terrace = await add_other("Terrace")
    come(simulator.unit, 12)
    await poll(hass, entry)
    await use(transmitter=terrace.entry_id)
    assert await say("who is waiting") == "Nobody is waiting."
    assert (await say("who is waiting at T7470")).startswith("Waiting: 1.")


# -------------------------------------------------- intents: sentences of users' own, and tools

# As the documentation shows them.
CUSTOM = re.findall(
    r"```yaml\n(language:.*?)```", (ROOT / "docs" / "voice.md").read_text(), re.DOTALL
)[0]


@pytest.fixture
async def custom_sentences(hass: HomeAssistant) -> None:
    """Sentences that a user wrote."""
    path = Path(hass.config.path("custom_sentences/en/pager.yaml"))

    def write() -> None:
        path.parent.mkdir(parents=True)
        path.write_text(CUSTOM)

    await hass.async_add_executor_job(write)


def expose(hass: HomeAssistant) -> None:
    """Expose the transmitter to the assistant."""
    async_expose_entity(hass, "conversation", "sensor.t7470_active_sessions", True)


async def test_users_can_write_sentences_of_their_own_for_what_they_expose(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    custom_sentences: None,
    say: Say,
) -> None:
    come(simulator.unit, 12, label="Ortega")
    await poll(hass, entry)
    assert await say("buzz twelve") == error("en", "not_exposed")
    assert not is_paged(simulator, 12)
    expose(hass)
    assert await say("any guests?") == "Waiting: 1. The pagers, the longest wait first: 12."
    assert await say("buzz twelve") == "Pager 12 paged"
    assert is_paged(simulator, 12)
    put_into(hass, entry, "Bar")
    assert await say("buzz 12 in bar") == "Pager 12 paged"
    await hass.config_entries.async_remove(entry.entry_id)
    assert await say("buzz twelve") == "There is no such transmitter."


async def test_a_user_gets_what_their_permissions_allow(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    custom_sentences: None,
    say: Say,
    hass_read_only_user: MockUser,
) -> None:
    come(simulator.unit, 12)
    await poll(hass, entry)
    expose(hass)
    assert (await say("any guests", user=hass_read_only_user)).startswith("Waiting: 1.")
    answer = await say("buzz twelve", user=hass_read_only_user)
    assert answer == "You are not allowed to do that."
    assert not is_paged(simulator, 12)


async def test_a_language_model_has_the_intents_as_tools_and_never_hears_a_name(
    hass: HomeAssistant, simulator: Simulator, entry: MockConfigEntry, say: Say
) -> None:
    async def tools() -> dict[str, llm.Tool]:
        api = await llm.async_get_api(hass, llm.LLM_API_ASSIST, context)
        return {tool.name: tool for tool in api.tools if "LrsPager" in tool.name}

    async def call(name: str, **fields: Any) -> str:
        [tool] = [tool for key, tool in (await tools()).items() if key.endswith(name)]
        return str(await tool.async_call(hass, llm.ToolInput(name, fields), context))

    context = llm.LLMContext(
        platform="test",
        context=Context(),
        language="de",
        assistant="conversation",
        device_id=None,
    )
    come(simulator.unit, 12, label="Ortega")
    await poll(hass, entry)
    assert await tools() == {}
    expose(hass)
    assert {name.removeprefix("lrs_pager__") for name in await tools()} == {
        handler.intent_type for handler in voice.INTENTS
    }
    waiting = await call("GetWaiting")
    assert text("de", "voice_waiting", count=1, pagers="12") in waiting
    assert "Ortega" not in waiting
    assert text("de", "said_paged", number=12) in await call("PageGuest", number="12")
    assert is_paged(simulator, 12)


def test_no_intent_ends_a_session() -> None:
    assert {request.value for request in voice.Request} == {"wait", "waiting", "late", "page"}


async def test_without_words_for_numbers_digits_are_understood(
    hass: HomeAssistant,
    simulator: Simulator,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def answer(heard: str) -> Any:
        fields = {"request": "page", "heard": heard}
        return await hass.services.async_call(
            DOMAIN, "answer", fields, blocking=True, return_response=True
        )

    monkeypatch.setitem(sys.modules, "unicode_rbnf", None)
    voice._number_words.cache_clear()
    come(simulator.unit, 12)
    await poll(hass, entry)
    assert await answer("twelve") == {"speech": "This is not a number: twelve.", "done": False}
    assert await answer("12") == {"speech": "Pager 12 paged", "done": True}
