"""What the unit says of itself."""

from dataclasses import dataclass

from ..transmitter import Message, Settings, Statistics


@dataclass(slots=True)
class UnitFacts:
    """The latest that was told of each; None if it never was."""

    device_name: str | None = None
    firmware_version: str | None = None
    statistics: Statistics | None = None
    settings: Settings | None = None

    def see(self, message: Message) -> None:
        """Take in an answer, or a notification."""
        envelope = message.envelope
        self.device_name = envelope.device_name or self.device_name
        self.firmware_version = envelope.firmware_version or self.firmware_version
        self.statistics = message.statistics or self.statistics
        self.settings = message.settings or self.settings
