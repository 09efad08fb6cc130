"""Keys of a platform's own, which the operator issues."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from gateway.application.api_keys import new_key
from gateway.application.operators import Act, OperatorDesk
from gateway.domain.api_keys import KeyKind
from gateway.domain.businesses import ApiKey
from gateway.domain.errors import NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuePlatformKey:
    """A secret key that acts for each business of the platform, by `Gateway-Business`."""

    desk: OperatorDesk

    def __call__(self, platform_id: UUID, *, livemode: bool, name: str, act: Act) -> tuple[ApiKey, str]:
        """The row as kept, and the text that is shown this once. Raises NotFound."""
        if platform_id not in [one.id for one in self.desk.directory.platforms()]:
            raise NotFound("there is no such platform")
        key, secret = new_key(
            self.desk.chance,
            self.desk.new_id(),
            platform_id,
            None,
            KeyKind.SECRET,
            name,
            self.desk.now(),
            livemode=livemode,
        )
        self.desk.directory.add_key(key)
        self.desk.note(act, "api_key.create", key.id)
        return key, secret
