"""What the unit says of itself."""

from dataclasses import dataclass

from ..transmitter import Answer, Settings, Statistics


@dataclass(slots=True)
class UnitFacts:
    """The latest of each that was told; None of what never was."""

    device_name: str | None = None
    firmware_version: str | None = None
    statistics: Statistics | None = None
    settings: Settings | None = None

    def see(self, answer: Answer) -> None:
        """Take in an answer, or a message."""
        envelope = answer.envelope
        self.device_name = envelope.device_name or self.device_name
        self.firmware_version = envelope.firmware_version or self.firmware_version
        self.statistics = answer.statistics or self.statistics
        self.settings = answer.settings or self.settings
