"""Runs pluggy: finds installed plugins, loads the enabled ones, and refuses to start with an offer that can't be kept.

Installed is not enabled. A plugin is an entry point in the group `gateway.plugins`; its name is what settings list.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Any

import pluggy
from pluggy import PluginManager

from gateway.adapters import chain_checks, plugin_checks
from ports import hookspecs
from ports.chain import ChainOffer
from ports.payment_rail import PaymentRail
from ports.payout_channel import PayoutChannel
from ports.registration import Registration

GROUP = "gateway.plugins"


class PluginDeprecationWarning(UserWarning):
    """A plugin uses what the next version of the contract won't have. It is shown whoever loads the plugin."""


class PluginRefused(Exception):
    """The gateway must not start with these plugins; the message says which one, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPlugin:
    """An installed plugin: the name that settings list, the package it comes from, and whether it is enabled."""

    name: str
    package: str
    version: str
    enabled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugins:
    """Everything the enabled plugins offer, by code, and every plugin found."""

    rails: Mapping[str, Registration[PaymentRail]]
    channels: Mapping[str, Registration[PayoutChannel]]
    found: tuple[FoundPlugin, ...]
    chains: Mapping[str, ChainOffer] = field(default_factory=dict)


def load_plugins(enabled: Sequence[str], installed: Iterable[EntryPoint] | None = None) -> Plugins:
    """Load the enabled plugins, in that order. `installed` stands in for what the environment has.

    Raises PluginRefused for an unknown or doubled name, a plugin that can't be imported, a hook that is misspelt or
    takes other arguments, a plugin that offers nothing, two offers of one code, two chains of one network or chain id,
    another version of the contract, and capabilities that contradict themselves.
    """
    known = _by_name(entry_points(group=GROUP) if installed is None else installed)
    if unknown := [name for name in enabled if name not in known]:
        have = ", ".join(sorted(known)) or "none"
        raise PluginRefused(f"no plugin is called {', '.join(unknown)}; installed: {have}")
    manager = PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    for name in dict.fromkeys(enabled):
        _register(manager, name, known[name])
    _no_misspelt_hook(manager)
    rails = _offers(manager.hook.register_payment_rails, plugin_checks.rail_faults)
    channels = _offers(manager.hook.register_payout_channels, plugin_checks.channel_faults)
    chains = _offers(manager.hook.register_chains, chain_checks.chain_faults)
    _every_plugin_offers(enabled, [*rails, *channels, *chains])
    _no_code_twice([*rails, *channels, *chains])
    _no_network_twice(chains)
    return Plugins(
        rails=MappingProxyType({offer.code: offer for _, offer in rails}),
        channels=MappingProxyType({offer.code: offer for _, offer in channels}),
        chains=MappingProxyType({offer.code: offer for _, offer in chains}),
        found=tuple(_found(point, enabled) for _, point in sorted(known.items())),
    )


def found_plugins(enabled: Sequence[str], installed: Iterable[EntryPoint] | None = None) -> tuple[FoundPlugin, ...]:
    """Every installed plugin, by name; none of them is imported. Raises PluginRefused for a doubled name."""
    known = _by_name(entry_points(group=GROUP) if installed is None else installed)
    return tuple(_found(point, enabled) for _, point in sorted(known.items()))


def _by_name(installed: Iterable[EntryPoint]) -> dict[str, EntryPoint]:
    known: dict[str, EntryPoint] = {}
    for point in installed:
        other = known.setdefault(point.name, point)
        # One package may be listed twice when its folder is on the path twice; that is the same plugin.
        if other.value != point.value:
            raise PluginRefused(f"two plugins are called {point.name}: {other.value} and {point.value}")
    return known


def _found(point: EntryPoint, enabled: Sequence[str]) -> FoundPlugin:
    package = point.dist
    return FoundPlugin(
        name=point.name,
        package=package.name if package else point.value,
        version=package.version if package else "unknown",
        enabled=point.name in enabled,
    )


def _register(manager: PluginManager, name: str, point: EntryPoint) -> None:
    try:
        manager.register(point.load(), name=name)
    except pluggy.PluginValidationError as wrong:
        raise PluginRefused(f"plugin {name}: {_first_line(wrong)}") from wrong
    except Exception as broken:
        # The edge to code that isn't ours: whatever it raises at import, the name of the plugin must be told.
        raise PluginRefused(
            f"plugin {name} can't be loaded: {type(broken).__name__}: {_first_line(broken)}"
        ) from broken


def _no_misspelt_hook(manager: PluginManager) -> None:
    try:
        manager.check_pending()
    except pluggy.PluginValidationError as wrong:
        name = manager.get_name(wrong.plugin)
        raise PluginRefused(f"plugin {name}: {_first_line(wrong)}") from wrong


def _offers(hook: Any, faults: Callable[[object], list[str]]) -> list[tuple[str, Any]]:
    """(plugin, offer) pairs in the order of registration, each checked."""
    return [(name, offer) for name, offer in _answers(hook) if _sound(name, offer, faults)]


def _answers(hook: Any) -> Iterator[tuple[str, Any]]:
    # Each plugin is asked by itself, where the hook's own call would lose which of them answered.
    for one in hook.get_hookimpls():
        try:
            offered = list(one.function())
        except Exception as broken:
            # The edge to code that isn't ours, as above.
            raise PluginRefused(f"plugin {one.plugin_name}: {hook.name} failed: {_first_line(broken)}") from broken
        for offer in offered:
            yield one.plugin_name, offer


def _sound(name: str, offer: Any, faults: Callable[[object], list[str]]) -> bool:
    for word, advice in plugin_checks.deprecated_in(offer):
        words = f"plugin {name}, offer {offer.code}: {word} is deprecated; {advice}"
        warnings.warn(words, PluginDeprecationWarning, stacklevel=2)
    if wrong := faults(offer):
        code = getattr(offer, "code", offer)
        raise PluginRefused(f"plugin {name}, offer {code}: {'; '.join(wrong)}")
    return True


def _every_plugin_offers(enabled: Sequence[str], offers: Sequence[tuple[str, Any]]) -> None:
    offering = {name for name, _ in offers}
    if silent := [name for name in enabled if name not in offering]:
        raise PluginRefused(f"plugin {', '.join(silent)} offers nothing: is @hookimpl missing?")


def _no_code_twice(offers: Sequence[tuple[str, Any]]) -> None:
    owner: dict[str, str] = {}
    for name, offer in offers:
        if offer.code in owner:
            raise PluginRefused(f"the code {offer.code} is offered twice: by {owner[offer.code]} and by {name}")
        owner[offer.code] = name


def _no_network_twice(chains: Sequence[tuple[str, ChainOffer]]) -> None:
    # Rails name a chain by its network, and a signature binds to a chain id: each must lead to one offer.
    owner: dict[object, str] = {}
    for name, offer in chains:
        said = offer.capabilities
        for what, word in (("network", said.network), ("chain id", said.chain_id)):
            if (what, word) in owner:
                raise PluginRefused(f"the {what} {word} is offered twice: by {owner[what, word]} and by {name}")
            owner[what, word] = name


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
