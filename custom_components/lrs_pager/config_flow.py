"""The dialogs: adding a transmitter, changing its address, its options."""

from collections.abc import Mapping
from itertools import chain, count
from typing import Any, override

import voluptuous as vol

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigFlow,
    ConfigFlowResult,
    OptionsFlowWithReload,
)
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import callback
from homeassistant.helpers.selector import (
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    TextSelector,
)

from .const import CONF_DAY_START, DEFAULT_DAY_START, DOMAIN, LOGGER, MODEL
from .errors import translation
from .transmitter import (
    DEFAULT_PORT,
    NotResolvedError,
    RejectedError,
    Transmitter,
    TransmitterError,
    resolve,
)

ADDRESS = vol.Schema(
    {
        vol.Required(CONF_HOST): TextSelector(),
        vol.Required(CONF_PORT, default=DEFAULT_PORT): vol.All(
            NumberSelector(NumberSelectorConfig(min=1, max=65535, mode=NumberSelectorMode.BOX)),
            vol.Coerce(int),
        ),
    }
)

OPTIONS = vol.Schema(
    {
        vol.Required(CONF_DAY_START, default=DEFAULT_DAY_START): vol.All(
            NumberSelector(NumberSelectorConfig(min=0, max=23, mode=NumberSelectorMode.SLIDER)),
            vol.Coerce(int),
        ),
    }
)

# Codes with which a CoAP server says that it knows nothing of the resource: 4.04 Not Found,
# 4.05 Method Not Allowed.
NOT_THERE = {"4.04", "4.05"}


class LrsPagerConfigFlow(ConfigFlow, domain=DOMAIN):
    """Add a transmitter, or change its address."""

    VERSION = 1
    MINOR_VERSION = 1

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> LrsPagerOptionsFlow:
        """Return the flow for the options."""
        return LrsPagerOptionsFlow()

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the address, and accept it once the transmitter has answered there."""
        return await self._async_step_address("user", user_input)

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask for a new address; entities and log stay."""
        return await self._async_step_address("reconfigure", user_input)

    async def _async_step_address(
        self, step_id: str, user_input: dict[str, Any] | None
    ) -> ConfigFlowResult:
        """Show the form for an address, or check what was entered."""
        errors: dict[str, str] = {}
        placeholders: Mapping[str, str] = {}
        reconfigured = self._get_reconfigure_entry() if self.source == SOURCE_RECONFIGURE else None
        if user_input is not None:
            user_input[CONF_HOST] = _host(user_input[CONF_HOST])
            try:
                errors, placeholders = await _async_try(user_input)
                # Asked last, as the same address may have been entered elsewhere in the meantime.
                if await self._async_is_configured(user_input, reconfigured):
                    return self.async_abort(reason="already_configured")
            except Exception:  # noqa: BLE001  # the user's dialog survives our faults
                LOGGER.exception("Unexpected error while a transmitter's address was tried")
                errors = {"base": "unknown"}
            if not errors:
                if reconfigured:
                    return self.async_update_reload_and_abort(reconfigured, data=user_input)
                return self.async_create_entry(title=self._title(), data=user_input)
        shown = user_input or (reconfigured.data if reconfigured else None)
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(ADDRESS, shown),
            errors=errors,
            description_placeholders=placeholders,
        )

    async def _async_is_configured(
        self, address: Mapping[str, Any], reconfigured: ConfigEntry | None
    ) -> bool:
        """Whether another entry has this address, also under another name.

        The API tells no serial number, so that the address is all there is to go by.
        """
        others = [
            entry.data
            for entry in self._async_current_entries(include_ignore=False)
            if entry is not reconfigured and entry.data[CONF_PORT] == address[CONF_PORT]
        ]
        here = {address[CONF_HOST], *await _async_resolve(address)}
        there = [{other[CONF_HOST], *await _async_resolve(other)} for other in others]
        return any(here & addresses for addresses in there)

    def _title(self) -> str:
        """Name an entry after the model, and number it from the second on."""
        titles = {entry.title for entry in self._async_current_entries()}
        numbered = (f"{MODEL} ({number})" for number in count(2))
        return next(title for title in chain([MODEL], numbered) if title not in titles)


class LrsPagerOptionsFlow(OptionsFlowWithReload):
    """Change when a business day begins."""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show the form, or save what was entered."""
        if user_input is not None:
            return self.async_create_entry(data=user_input)
        return self.async_show_form(
            step_id="init",
            data_schema=self.add_suggested_values_to_schema(OPTIONS, self.config_entry.options),
        )


def _host(text: str) -> str:
    """Clean a host as people enter it: " [FE80::2%eth0] " is "fe80::2%eth0"."""
    address, percent, zone = text.strip().removeprefix("[").removesuffix("]").partition("%")
    return address.lower() + percent + zone


async def _async_resolve(address: Mapping[str, Any]) -> list[str]:
    """Return the IP addresses of a host; none if it can't be resolved."""
    try:
        return await resolve(address[CONF_HOST], address[CONF_PORT])
    except NotResolvedError:
        return []


async def _async_try(address: Mapping[str, Any]) -> tuple[dict[str, str], Mapping[str, str]]:
    """Read the history at an address: errors for the form (none if it is a T7470), placeholders."""
    transmitter = Transmitter(address[CONF_HOST], address[CONF_PORT])
    try:
        answer = await transmitter.history()
    except RejectedError as err:
        if err.code in NOT_THERE:
            return {"base": "not_t7470"}, {}
        return {"base": "rejected"}, {"code": err.code}
    except TransmitterError as err:
        key, placeholders = translation(err)
        return {"base": key}, placeholders
    finally:
        await transmitter.close()
    if answer.envelope.device_name not in (None, MODEL):
        return {"base": "not_t7470"}, {}
    return {}, {}
