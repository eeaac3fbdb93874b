"""What people enter as a transmitter's address."""

from ipaddress import IPv6Address
import re

_URL = re.compile(r"(?:([a-z][a-z0-9+.-]*):)?//(.*)", re.IGNORECASE)
_BRACKETS = re.compile(r"\[([^][]*)\](?::(.*))?")


class AddressError(ValueError):
    """What was entered is no address. key: the translation key of the dialog's error."""

    def __init__(self, key: str) -> None:
        """Take the key."""
        super().__init__(key)
        self.key = key


def read_address(text: str, port: int, *, default_port: int) -> tuple[str, int]:
    """Return host and port as they are meant: " coap://[FE80::2%eth0]/ " is "fe80::2%eth0".

    text: as entered for the host. A port in it counts, unless the text is an http or https URL.
    Raises AddressError; also if port is neither default_port nor the port in the text.
    """
    text, scheme = text.strip(), ""
    if url := _URL.fullmatch(text):
        scheme, text = url[1] or "", url[2]
    text, named = re.split("[/?#]", text, maxsplit=1)[0].strip(), ""
    if brackets := _BRACKETS.fullmatch(text):
        text, named = brackets[1], brackets[2] or ""
    elif text.count(":") == 1:
        text, _, named = text.partition(":")
    address, percent, zone = text.partition("%")
    if not address or re.search(r"[\s@\[\]]", text):
        raise AddressError("not_an_address")
    if ":" in address:
        try:
            IPv6Address(address)
        except ValueError as err:
            raise AddressError("not_an_address") from err
    host = address.lower() + percent + zone
    if not named or scheme.lower() in {"http", "https"}:
        return host, port
    if not re.fullmatch("[0-9]{1,5}", named) or not 1 <= int(named) <= 65535:  # noqa: PLR2004
        raise AddressError("not_an_address")
    if port not in {default_port, int(named)}:
        raise AddressError("two_ports")
    return host, int(named)
