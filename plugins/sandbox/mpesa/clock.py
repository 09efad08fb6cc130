"""The simulator's clock: the machine's time plus an offset, or stopped at one instant.

Instants are whole milliseconds since 1970; M-Pesa's own texts are East Africa Time (UTC+3, no summer time).
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

EAT = timezone(timedelta(hours=3), "EAT")


@dataclass(slots=True)
class Clock:
    """A clock that tests can move; it never goes back."""

    offset_ms: int = 0
    frozen_ms: int | None = None

    def now(self) -> int:
        """The simulator's present instant, in milliseconds."""
        if self.frozen_ms is not None:
            return self.frozen_ms
        return time.time_ns() // 1_000_000 + self.offset_ms

    def move_to(self, instant_ms: int) -> None:
        """Make the present this instant. Raises ValueError if it lies in the past."""
        behind = self.now() - instant_ms
        if behind > 0:
            raise ValueError("the clock cannot go back")
        if self.frozen_ms is not None:
            self.frozen_ms = instant_ms
        else:
            self.offset_ms -= behind

    def freeze(self) -> None:
        """Stop the clock where it stands."""
        self.frozen_ms = self.now()

    def thaw(self) -> None:
        """Let the clock run on from where it stands."""
        if self.frozen_ms is not None:
            self.offset_ms = self.frozen_ms - time.time_ns() // 1_000_000
            self.frozen_ms = None


def eat(instant_ms: int) -> datetime:
    """The instant as an aware East African datetime."""
    return datetime.fromtimestamp(instant_ms / 1000, EAT)


def stamp(instant_ms: int) -> int:
    """`20191219102115`, as M-Pesa writes an instant in a number."""
    return int(eat(instant_ms).strftime("%Y%m%d%H%M%S"))


def dotted(instant_ms: int) -> str:
    """`06.07.2024 22:48:52`, as B2C results write an instant."""
    return eat(instant_ms).strftime("%d.%m.%Y %H:%M:%S")


def iso(instant_ms: int) -> str:
    """`2026-11-24T09:00:00.000+03:00`, for the journal."""
    return eat(instant_ms).isoformat(timespec="milliseconds")


def sms_time(instant_ms: int) -> str:
    """`6/7/24 at 10:48 PM`, as messages to customers write an instant."""
    day = eat(instant_ms)
    return f"{day.day}/{day.month}/{day:%y} at {day.hour % 12 or 12}:{day:%M %p}"


def day_start(instant_ms: int) -> int:
    """Midnight before an instant, in East Africa."""
    return round(eat(instant_ms).replace(hour=0, minute=0, second=0, microsecond=0).timestamp() * 1000)


def parse(text: str) -> int:
    """An ISO 8601 text as an instant; without a zone it is read as East Africa Time. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=EAT)
    return round(moment.astimezone(UTC).timestamp() * 1000)
