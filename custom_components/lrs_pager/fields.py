"""How numbers and periods of time are read that users give to actions, options and automations."""

from datetime import timedelta
from typing import Any

import voluptuous as vol

from homeassistant.helpers import config_validation as cv


def whole(value: Any) -> int:
    """Read a whole number: 12, "12", or "12.0" as the states of helpers are.

    A fraction is not cut off, nor is "yes" a 1 or "1_2" a 12: the wrong pager would be paged.
    Raises Invalid.
    """
    try:
        number = float("" if isinstance(value, bool) or "_" in str(value) else value)
        found = int(number)
    except (TypeError, ValueError, OverflowError) as err:
        raise vol.Invalid("expected a whole number") from err
    if found != number:
        raise vol.Invalid("expected a whole number")
    return found


def period(value: Any) -> timedelta:
    """Read a period of time in any form that Home Assistant takes, if timedelta can hold it.

    Raises Invalid.
    """
    try:
        found: timedelta = cv.positive_time_period(value)
    except OverflowError as err:
        raise vol.Invalid("expected a period of time") from err
    return found
