"""The dialogs: adding a transmitter, by hand or as discovered; its address, its options."""

from collections.abc import Mapping
from itertools import chain, count
from typing import Any, override

import voluptuous as vol

from homeassistant.config_entries import (
    SOURCE_DHCP,
    SOURCE_IGNORE,
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigFlow,
    ConfigFlowResult,
    OptionsFlowWithReload,
)
from homeassistant.const import CONF_HOST, CONF_PORT, UnitOfTime
from homeassistant.core import HomeAssistant, callback
from homeassistant.data_entry_flow import AbortFlow
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    TextSelector,
)
from homeassistant.helpers.service_info.dhcp import DhcpServiceInfo
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo

from .address import AddressError, read_address
from .const import (
    CONF_DAY_START,
    CONF_KEEP_NAMES,
    CONF_SHOW_NAMES,
    CONF_SHOW_PANEL,
    DEFAULT_DAY_START,
    DEFAULT_KEEP_NAMES,
    DEFAULT_SHOW_PANEL,
    DOMAIN,
    LOGGER,
    MODEL,
)
from .errors import translation
from .issues import is_swapped
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
        vol.Required(CONF_SHOW_PANEL, default=DEFAULT_SHOW_PANEL): BooleanSelector(),
        vol.Required(CONF_SHOW_NAMES, default=False): BooleanSelector(),
        # Without a default, so that it can be left empty.
        vol.Optional(CONF_KEEP_NAMES): vol.All(
            NumberSelector(
                NumberSelectorConfig(
                    min=0,
                    max=36_500,
                    mode=NumberSelectorMode.BOX,
                    unit_of_measurement=UnitOfTime.DAYS,
                )
            ),
            vol.Coerce(float),
        ),
    }
)


class LrsPagerConfigFlow(ConfigFlow, domain=DOMAIN):
    """Add a transmitter, or change its address.

    An entry's unique ID is the transmitter's MAC address, which DHCP alone tells; None until then.
    An ignored entry that zeroconf found has its host instead. A flow of discovery has the host in
    title_placeholders, where the other flows look for it.
    """

    VERSION = 1
    MINOR_VERSION = 1

    # Where discovery found a transmitter.
    _address: dict[str, Any]

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> LrsPagerOptionsFlow:
        """Return the flow for the options."""
        return LrsPagerOptionsFlow()

    # -------------------------------------------------------------------------- by hand

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
            try:
                user_input[CONF_HOST], user_input[CONF_PORT] = read_address(
                    user_input[CONF_HOST], user_input[CONF_PORT], default_port=DEFAULT_PORT
                )
            except AddressError as err:
                errors = {CONF_HOST: err.key}
            else:
                errors, placeholders = await self._async_check(user_input, reconfigured)
            if not errors:
                if reconfigured:
                    return await self._async_change(reconfigured, user_input)
                return await self._async_create(user_input)
        shown = user_input or (reconfigured.data if reconfigured else None)
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(ADDRESS, shown),
            errors=errors,
            description_placeholders=placeholders,
        )

    # ------------------------------------------------------------------------ discovered

    @override
    async def async_step_zeroconf(self, discovery_info: ZeroconfServiceInfo) -> ConfigFlowResult:
        """Offer a transmitter that announces itself; its address is all that this tells."""
        # IPv4 if it has both, as DHCP has that: a unit with two addresses would be offered twice.
        host = str(
            min(
                discovery_info.ip_addresses,
                key=lambda ip: (ip.is_link_local or ip.is_unspecified, ip.version),
            )
        )
        self._found(host)
        # By this ID of the flow, the user can ignore the unit; and it stops the flow of the second
        # service that a unit announces. An entry does not keep it: an address is no identity.
        await self.async_set_unique_id(host)
        if reason := await self._async_known() or await self._async_refusal():
            return self.async_abort(reason=reason)
        # In the meantime, the user may have added it, or DHCP may have found it.
        if reason := await self._async_known():
            return self.async_abort(reason=reason)
        return await self.async_step_confirm()

    @override
    async def async_step_dhcp(self, discovery_info: DhcpServiceInfo) -> ConfigFlowResult:
        """Offer a transmitter, or give an entry with this MAC address its new IP address."""
        host, mac = discovery_info.ip, dr.format_mac(discovery_info.macaddress)
        self._found(host)
        for flow in self._async_in_progress(match_context={"unique_id": mac}):
            if flow["context"].get("title_placeholders") != {CONF_HOST: host}:
                # It offers this transmitter at a former address.
                self.hass.config_entries.flow.async_abort(flow["flow_id"])
        if entry := await self.async_set_unique_id(mac):
            moved = await _async_moved(entry, self._address)
            if moved is None:
                return self.async_abort(reason="cannot_connect")
            self._withdraw(host)
            self._abort_if_unique_id_configured(updates=moved)
        if reason := await self._async_refusal():
            return self.async_abort(reason=reason)
        entries = await self._async_entries_at(self._address)
        # The offer of zeroconf, which does not know the MAC address.
        self._withdraw(host)
        if not entries:
            return await self.async_step_confirm()
        # An entry that was added, or ignored, by its address gets the MAC address if it has none.
        entry = next((entry for entry in entries if entry.unique_id in {None, host}), None)
        if entry:
            self.hass.config_entries.async_update_entry(entry, unique_id=mac)
            if entry.source != SOURCE_IGNORE:
                self.hass.config_entries.async_schedule_reload(entry.entry_id)
        return self.async_abort(reason="already_configured")

    async def async_step_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask whether to add what was discovered; it must still be there then."""
        errors: dict[str, str] = {}
        placeholders: Mapping[str, str] = {}
        if user_input is not None:
            errors, placeholders = await self._async_check(self._address)
            if not errors:
                return await self._async_create(self._address)
        return self.async_show_form(
            step_id="confirm",
            errors=errors,
            description_placeholders={CONF_HOST: self._address[CONF_HOST], **placeholders},
        )

    @override
    async def async_step_ignore(self, user_input: dict[str, Any]) -> ConfigFlowResult:
        """Ignore what is offered, and keep its address: zeroconf knows it by nothing else."""
        offers = self._async_in_progress(match_context={"unique_id": user_input["unique_id"]})
        result = await super().async_step_ignore(user_input)
        for offer in offers:
            host = offer["context"]["title_placeholders"][CONF_HOST]
            result["data"] = {CONF_HOST: host, CONF_PORT: DEFAULT_PORT}
        return result

    def _found(self, host: str) -> None:
        """Take the address at which something was discovered."""
        self._address = {CONF_HOST: host, CONF_PORT: DEFAULT_PORT}
        self.context["title_placeholders"] = {CONF_HOST: host}

    async def _async_known(self) -> str | None:
        """Return why what was discovered need not be offered; None if it is new."""
        if await self._async_entries_at(self._address):
            return "already_configured"
        return "already_in_progress" if self._offers(self._address[CONF_HOST]) else None

    async def _async_refusal(self) -> str | None:
        """Try what was discovered; return why not to offer it, or None if it is a T7470."""
        errors, _ = await _async_try(self._address)
        if not errors:
            return None
        return "not_t7470" if errors["base"] == "not_t7470" else "cannot_connect"

    # ---------------------------------------------------------------------- what steps share

    async def _async_check(
        self, address: Mapping[str, Any], reconfigured: ConfigEntry | None = None
    ) -> tuple[dict[str, str], Mapping[str, str]]:
        """Try an address; return errors for the form, and their placeholders.

        Raises AbortFlow if another entry has it, unless Repairs say that the two have swapped
        theirs.
        """
        try:
            errors, placeholders = await _async_try(address)
            # Asked last, as the same address may have been entered elsewhere in the meantime.
            entries = await self._async_entries_at(address)
        except Exception:  # noqa: BLE001  # the user's dialog survives our faults
            LOGGER.exception("Unexpected error while a transmitter's address was tried")
            return {"base": "unknown"}, {}
        others = [e for e in entries if e is not reconfigured and e.source != SOURCE_IGNORE]
        if not all(reconfigured and is_swapped(self.hass, reconfigured, e) for e in others):
            raise AbortFlow("already_configured")
        return errors, placeholders

    async def _async_create(self, address: dict[str, Any]) -> ConfigFlowResult:
        """Add a transmitter."""
        mac = await self._async_claim(address)
        await self.async_set_unique_id(mac, raise_on_progress=False)
        self._abort_if_unique_id_configured()
        return self.async_create_entry(title=self._title(), data=address)

    async def _async_change(self, entry: ConfigEntry, address: dict[str, Any]) -> ConfigFlowResult:
        """Change a transmitter's address; an entry that has it gets the former one in exchange."""
        for other in await self._async_entries_at(address):
            if other is not entry and other.source != SOURCE_IGNORE:
                _give_address(self.hass, other, entry.data)
        mac = await self._async_claim(address)
        if address[CONF_HOST] == entry.data[CONF_HOST]:
            mac = entry.unique_id
        if mac != entry.unique_id:
            # At another address there may be another unit, a replacement say. With its
            # predecessor's MAC address, the entry would follow that one.
            _forget_mac(self.hass, entry)
        return self.async_update_reload_and_abort(entry, unique_id=mac, data=address)

    async def _async_claim(self, address: Mapping[str, Any]) -> str | None:
        """Withdraw what is offered or ignored at an address; return the MAC address, if known."""
        mac = self.unique_id if self.source == SOURCE_DHCP else None
        if address[CONF_PORT] == DEFAULT_PORT:
            for host in await _async_hosts(address):
                offered = self._withdraw(host)
                mac = mac or offered
        for entry in await self._async_entries_at(address):
            if entry.source == SOURCE_IGNORE:
                await self.hass.config_entries.async_remove(entry.entry_id)
        return mac

    def _offers(self, host: str) -> list[ConfigFlowResult]:
        """Return the other flows that offer what was discovered at a host."""
        return self._async_in_progress(match_context={"title_placeholders": {CONF_HOST: host}})

    def _withdraw(self, host: str) -> str | None:
        """Abort the other offers at a host; return the MAC address that they know, if any."""
        mac = None
        for offer in self._offers(host):
            if offer["context"]["source"] == SOURCE_DHCP:
                mac = offer["context"]["unique_id"]
            self.hass.config_entries.flow.async_abort(offer["flow_id"])
        return mac

    async def _async_entries_at(self, address: Mapping[str, Any]) -> list[ConfigEntry]:
        """Return the entries that have this address, also under another name; ignored ones too.

        The API tells no serial number, so that the address is all there is to go by.
        """
        here = await _async_hosts(address)
        return [
            entry
            for entry in self._async_current_entries(include_ignore=True)
            if entry.data.get(CONF_PORT) == address[CONF_PORT]
            and here & await _async_hosts(entry.data)
        ]

    def _title(self) -> str:
        """Name an entry after the model, and number it from the second on."""
        titles = {entry.title for entry in self._async_current_entries(include_ignore=False)}
        numbered = (f"{MODEL} ({number})" for number in count(2))
        return next(title for title in chain([MODEL], numbered) if title not in titles)


class LrsPagerOptionsFlow(OptionsFlowWithReload):
    """Change when a business day begins, what is shown, and for how long names are kept."""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show the form, or save what was entered."""
        if user_input is not None:
            return self.async_create_entry(data={CONF_KEEP_NAMES: None, **user_input})
        options = {CONF_KEEP_NAMES: DEFAULT_KEEP_NAMES, **self.config_entry.options}
        return self.async_show_form(
            step_id="init",
            data_schema=self.add_suggested_values_to_schema(OPTIONS, options),
        )


async def _async_moved(entry: ConfigEntry, address: dict[str, Any]) -> dict[str, Any] | None:
    """Return what changes in the data of an entry that DHCP found; None if it is not to move."""
    if entry.source == SOURCE_IGNORE:
        return address
    host = address[CONF_HOST]
    if host in await _async_hosts(entry.data):
        return {}  # so that it keeps its host name, if it has one
    # Routers and caches tell of old addresses, too: one that answers is not given up for one
    # that doesn't. If neither does, the unit may be starting just now, at the new one.
    errors, _ = await _async_try({**entry.data, CONF_HOST: host})
    if errors and not (await _async_try(entry.data))[0]:
        return None
    return {CONF_HOST: host}


@callback
def _give_address(hass: HomeAssistant, entry: ConfigEntry, address: Mapping[str, Any]) -> None:
    """Give an entry another address, without a MAC address, and reload it."""
    _forget_mac(hass, entry)
    address = {key: address[key] for key in (CONF_HOST, CONF_PORT)}
    hass.config_entries.async_update_entry(entry, unique_id=None, data={**entry.data, **address})
    hass.config_entries.async_schedule_reload(entry.entry_id)


@callback
def _forget_mac(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Take the MAC address off the device of an entry.

    Up to Home Assistant 2026.3, all integrations that know a MAC address share a device. Then the
    others keep that device, with the address, and the entry gets one of its own.
    """
    registry, entities = dr.async_get(hass), er.async_get(hass)
    others = {
        device.id
        for other in hass.config_entries.async_entries()
        if other is not entry
        for device in dr.async_entries_for_config_entry(registry, other.entry_id)
    }
    for device in dr.async_entries_for_config_entry(registry, entry.entry_id):
        if device.id not in others:
            registry.async_update_device(device.id, new_connections=set())
            continue
        ours = (DOMAIN, entry.entry_id)
        registry.async_update_device(device.id, new_identifiers=device.identifiers - {ours})
        own = registry.async_get_or_create(config_entry_id=entry.entry_id, identifiers={ours})
        # Before the entry leaves the other device, which would delete these entities.
        for entity in er.async_entries_for_config_entry(entities, entry.entry_id):
            entities.async_update_entity(entity.entity_id, device_id=own.id)
        registry.async_update_device(device.id, remove_config_entry_id=entry.entry_id)


async def _async_hosts(address: Mapping[str, Any]) -> set[str]:
    """Return a host and its IP addresses; itself alone if it can't be resolved."""
    try:
        return {address[CONF_HOST], *await resolve(address[CONF_HOST], address[CONF_PORT])}
    except NotResolvedError:
        return {address[CONF_HOST]}


async def _async_try(address: Mapping[str, Any]) -> tuple[dict[str, str], Mapping[str, str]]:
    """Ask who is at an address; return errors for the form (none: a T7470), and placeholders."""
    transmitter = Transmitter(address[CONF_HOST], address[CONF_PORT])
    try:
        envelope = await transmitter.probe()
    except RejectedError as err:
        if err.is_unknown_resource:
            return {"base": "not_t7470"}, {}
        return {"base": "rejected"}, {"code": err.code}
    except TransmitterError as err:
        key, placeholders = translation(err)
        return {"base": key}, placeholders
    finally:
        await transmitter.close()
    if envelope.device_name not in (None, MODEL):
        return {"base": "not_t7470"}, {}
    return {}, {}
