"""The day it is, where the notices are in force."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

_PLACE = ZoneInfo("Asia/Shanghai")


def today() -> date:
    """Today's date in China."""
    return datetime.now(_PLACE).date()
