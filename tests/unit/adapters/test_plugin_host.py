"""Which plugins the gateway starts with, and the sentence it refuses the others with."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import EntryPoint
from types import ModuleType
from typing import Any

import pytest

from gateway.adapters import plugin_checks
from gateway.adapters.plugin_host import (
    FoundPlugin,
    PluginDeprecationWarning,
    PluginRefused,
    found_plugins,
    load_plugins,
)
from ports.hookspecs import hookimpl
from ports.payment_rail import RailCapabilities, StartsBy
from ports.payout_channel import ChannelCapabilities
from ports.registration import CallbackScope, Capabilities, LookUp, ReferenceForm, Registration
from tests.fakes.channel import FAKE_PHONES, FakeChannel
from tests.fakes.rail import FAKE_PROMPT, FakeRail

RAIL = FakeRail().registration()
CHANNEL = FakeChannel().registration()


@pytest.fixture
def installed() -> Iterator[Callable[..., EntryPoint]]:
    """Make a plugin out of functions: `installed(name, register_payment_rails=…)`."""
    made: list[str] = []

    def install(name: str, **functions: object) -> EntryPoint:
        module = ModuleType(f"out_of_tree_{name}")
        for called, function in functions.items():
            setattr(module, called, function)
        sys.modules[module.__name__] = module
        made.append(module.__name__)
        return EntryPoint(name=name, value=module.__name__, group="gateway.plugins")

    yield install
    for name in made:
        sys.modules.pop(name, None)


def hook(name: str, *offers: object) -> Callable[[], Sequence[object]]:
    """A marked hook that offers these."""

    def offering() -> Sequence[object]:
        return offers

    offering.__name__ = name
    return hookimpl(offering)


def rails(*offers: object) -> dict[str, object]:
    return {"register_payment_rails": hook("register_payment_rails", *offers)}


def channels(*offers: object) -> dict[str, object]:
    return {"register_payout_channels": hook("register_payout_channels", *offers)}


Install = Callable[..., EntryPoint]


class TestFinding:
    """Installed is not enabled."""

    def test_enabled_plugins_are_offered_and_others_only_listed(self, installed: Install) -> None:
        one = installed("one", **rails(RAIL), **channels(CHANNEL))
        other = installed("other", **rails(replace(RAIL, code="other_prompt")))
        plugins = load_plugins(["one"], [one, other])
        assert (dict(plugins.rails), dict(plugins.channels)) == ({RAIL.code: RAIL}, {CHANNEL.code: CHANNEL})
        assert [(found.name, found.enabled) for found in plugins.found] == [("one", True), ("other", False)]

    def test_a_plugin_that_is_not_enabled_is_never_imported(self) -> None:
        broken = EntryPoint(name="broken", value="no_such_module_anywhere", group="gateway.plugins")
        assert load_plugins([], [broken]).found == found_plugins([], [broken])
        assert found_plugins([], [broken]) == (
            FoundPlugin(name="broken", package="no_such_module_anywhere", version="unknown", enabled=False),
        )

    def test_offers_come_in_the_order_of_the_settings(self, installed: Install) -> None:
        points = [installed(name, **rails(replace(RAIL, code=name))) for name in ("first", "second", "third")]
        assert list(load_plugins(["third", "first"], points).rails) == ["third", "first"]

    def test_nothing_enabled_is_nothing_offered(self) -> None:
        plugins = load_plugins([], [])
        assert (dict(plugins.rails), dict(plugins.channels), plugins.found) == ({}, {}, ())

    def test_what_is_offered_can_not_be_changed(self, installed: Install) -> None:
        plugins = load_plugins(["one"], [installed("one", **rails(RAIL))])
        with pytest.raises(TypeError):
            plugins.rails["more"] = RAIL  # type: ignore[index]

    def test_one_plugin_listed_twice_is_one(self, installed: Install) -> None:
        one = installed("one", **rails(RAIL))
        assert list(load_plugins(["one", "one"], [one, one]).rails) == [RAIL.code]

    def test_the_shipped_plugin_is_sound(self) -> None:
        mpesa = EntryPoint(name="mpesa", value="plugins.mpesa.plugin", group="gateway.plugins")
        plugins = load_plugins(["mpesa"], [mpesa])
        assert (list(plugins.rails), list(plugins.channels)) == (
            ["mpesa_push", "mpesa_paybill", "mpesa_till"],
            ["mpesa_b2c", "mpesa_b2b"],
        )


class TestRefusing:
    """Start-up stops with a sentence that says which plugin, and why."""

    def refused(self, said: str, enabled: Sequence[str], *points: EntryPoint) -> None:
        with pytest.raises(PluginRefused, match=said):
            load_plugins(enabled, points)

    def test_an_unknown_name(self, installed: Install) -> None:
        self.refused("no plugin is called mpsea; installed: one", ["mpsea"], installed("one", **rails(RAIL)))
        self.refused("installed: none", ["mpesa"])

    def test_two_plugins_of_one_name(self, installed: Install) -> None:
        one = installed("one", **rails(RAIL))
        self.refused("two plugins are called one", [], one, EntryPoint("one", "another_module", "gateway.plugins"))

    def test_a_plugin_that_can_not_be_imported(self) -> None:
        broken = EntryPoint(name="broken", value="no_such_module_anywhere", group="gateway.plugins")
        self.refused("plugin broken can't be loaded: ModuleNotFoundError", ["broken"], broken)

    def test_a_misspelt_hook(self, installed: Install) -> None:
        misspelt = hook("register_payment_rail", RAIL)
        point = installed("one", register_payment_rail=misspelt, **channels(CHANNEL))
        self.refused("plugin one: unknown hook 'register_payment_rail'", ["one"], point)

    def test_a_hook_that_wants_other_arguments(self, installed: Install) -> None:
        @hookimpl
        def register_payment_rails(settings: object) -> Sequence[object]:
            return []

        point = installed("one", register_payment_rails=register_payment_rails)
        self.refused("plugin one: ", ["one"], point)

    def test_a_hook_without_its_mark(self, installed: Install) -> None:
        point = installed("one", register_payment_rails=lambda: [RAIL])
        self.refused("plugin one offers nothing", ["one"], point)

    def test_a_hook_that_breaks(self, installed: Install) -> None:
        @hookimpl
        def register_payment_rails() -> Sequence[object]:
            raise RuntimeError("no licence")

        point = installed("one", register_payment_rails=register_payment_rails)
        self.refused("plugin one: register_payment_rails failed: no licence", ["one"], point)

    def test_two_offers_of_one_code(self, installed: Install) -> None:
        one, two = installed("one", **rails(RAIL)), installed("two", **rails(RAIL))
        self.refused("fake_prompt is offered twice: by one and by two", ["one", "two"], one, two)

    def test_a_rail_and_a_channel_of_one_code(self, installed: Install) -> None:
        point = installed("one", **rails(RAIL), **channels(replace(CHANNEL, code=RAIL.code)))
        self.refused("fake_prompt is offered twice", ["one"], point)

    def test_another_version_of_the_contract(self, installed: Install) -> None:
        point = installed("one", **rails(replace(RAIL, contract=2)))
        self.refused("plugin one, offer fake_prompt: written for version 2 of the contract", ["one"], point)

    @pytest.mark.parametrize("offer", [None, "mpesa_push", {"code": "mpesa_push"}, FAKE_PROMPT])
    def test_what_is_no_registration(self, installed: Install, offer: object) -> None:
        self.refused("not a Registration", ["one"], installed("one", **rails(offer)))
        self.refused("not a Registration", ["one"], installed("one", **channels(offer)))

    def test_capabilities_of_the_other_port(self, installed: Install) -> None:
        self.refused("a rail declares RailCapabilities", ["one"], installed("one", **rails(CHANNEL)))
        self.refused("a channel declares ChannelCapabilities", ["one"], installed("one", **channels(RAIL)))


SHARED: list[tuple[dict[str, Any], str]] = [
    ({"assets": ()}, "no asset"),
    ({"amount_min": 300, "amount_max": 200}, "amount_min is above amount_max"),
    ({"amount_min": 0}, "not above zero"),
    ({"amount_min": -100}, "not above zero"),
    ({"amount_granularity": 0}, "amount_granularity is below one"),
    ({"amount_granularity": -1}, "amount_granularity is below one"),
    ({"amount_max": 25_000_050}, "multiples of amount_granularity"),
    ({"amount_min": 1_050}, "multiples of amount_granularity"),
    ({"reference_form": ReferenceForm(max_length=0)}, "reference form"),
    ({"reference_form": ReferenceForm(max_length=5, alphabet="")}, "reference form"),
    ({"reference_form": ReferenceForm(max_length=5, alphabet="AA")}, "reference form"),
    ({"reference_form": ReferenceForm(max_length=35, uuid=True)}, "a UUID has 36 characters"),
    ({"receipt_namespace": ""}, "no receipt namespace"),
    ({"concurrency": 0}, "concurrency is below one"),
    ({"calls_per_s": 0}, "calls_per_s is below one"),
    ({"call_timeout_s": 0}, "call_timeout_s is below one"),
    ({"abilities": ("refund", "refund")}, "an ability is named twice"),
    ({"look_up_ladder_s": ()}, "look_up_ladder_s"),
    ({"look_up_ladder_s": (30, 0)}, "look_up_ladder_s"),
    ({"look_up_life_s": 0}, "look_up_life_s"),
    ({"woken_ladder_s": (0, -1)}, "a wait between look-ups"),
    ({"floor_s": -1}, "a wait between look-ups"),
    ({"look_up": LookUp.REPLIES, "callback": CallbackScope.NONE}, "answers that come later need a callback"),
]
RAILS_ONLY: list[tuple[dict[str, Any], str]] = [
    ({"prompt_life_s": 0}, "a prompt has a life"),
    ({"grace_s": -1}, "grace_s"),
    ({"callback": CallbackScope.NONE, "look_up": LookUp.NONE}, "can never end"),
]
CHANNELS_ONLY: list[tuple[dict[str, Any], str]] = [
    ({"destinations": ()}, "no destination"),
    ({"max_items": 0}, "max_items"),
    ({"absence_s": 0}, "absence_s"),
    ({"cut_off_hours": (17, 8)}, "cut_off_hours"),
    ({"cut_off_hours": (8, 25)}, "cut_off_hours"),
]


@pytest.mark.parametrize(("changed", "said"), SHARED + RAILS_ONLY)
def test_a_rail_that_contradicts_itself_stops_the_start(
    installed: Install, changed: Mapping[str, Any], said: str
) -> None:
    offer = replace(RAIL, capabilities=replace(FAKE_PROMPT, **changed))
    with pytest.raises(PluginRefused, match=f"plugin one, offer fake_prompt: .*{said}"):
        load_plugins(["one"], [installed("one", **rails(offer))])


@pytest.mark.parametrize(("changed", "said"), SHARED + CHANNELS_ONLY)
def test_a_channel_that_contradicts_itself_stops_the_start(
    installed: Install, changed: Mapping[str, Any], said: str
) -> None:
    offer = replace(CHANNEL, capabilities=replace(FAKE_PHONES, **changed))
    with pytest.raises(PluginRefused, match=f"plugin one, offer fake_phones: .*{said}"):
        load_plugins(["one"], [installed("one", **channels(offer))])


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"code": "Mpesa"}, "the code is small letters"),
        ({"code": ""}, "the code is small letters"),
        ({"method": "m pesa"}, "the method is small letters"),
        ({"build": None}, "build and redact are functions"),
        ({"redact": b""}, "build and redact are functions"),
        ({"config_schema": []}, "the configuration schema is no object"),
    ],
)
def test_an_offer_that_is_not_whole_stops_the_start(installed: Install, changed: Mapping[str, Any], said: str) -> None:
    with pytest.raises(PluginRefused, match=said):
        load_plugins(["one"], [installed("one", **rails(replace(RAIL, **changed)))])


def test_a_rail_that_calls_nobody_needs_no_prompt_and_no_look_up(installed: Install) -> None:
    quiet = replace(
        FAKE_PROMPT, starts_by=StartsBy.PAY_TO, prompt_life_s=0, look_up=LookUp.NONE, look_up_ladder_s=(), grace_s=0
    )
    offer: Registration[Any] = replace(RAIL, capabilities=quiet)
    assert list(load_plugins(["one"], [installed("one", **rails(offer))]).rails) == [RAIL.code]


def test_every_capability_that_can_contradict_is_checked() -> None:
    names = {name for rows in (SHARED, RAILS_ONLY, CHANNELS_ONLY) for changed, _ in rows for name in changed}
    counted = {
        name
        for kind in (Capabilities, RailCapabilities, ChannelCapabilities)
        for name, field in kind.__dataclass_fields__.items()
        if "int" in str(field.type)
    }
    assert counted - names == set()


def test_a_deprecated_field_warns_and_names_who_uses_it(
    installed: Callable[..., EntryPoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(plugin_checks.DEPRECATED, "grace_s", "leave it out")
    point = installed("old", **rails(RAIL))
    with pytest.warns(PluginDeprecationWarning, match=r"plugin old, offer .*: grace_s is deprecated; leave it out"):
        load_plugins(["old"], [point])


def test_an_ability_that_nobody_knows_is_refused(installed: Callable[..., EntryPoint]) -> None:
    wrong = replace(RAIL, capabilities=replace(RAIL.capabilities, abilities=("fly",)))
    with pytest.raises(PluginRefused, match="there is no ability fly"):
        load_plugins(["odd"], [installed("odd", **rails(wrong))])


def test_an_ability_that_the_adapter_does_not_keep_is_named_with_its_protocol() -> None:
    said = replace(RAIL.capabilities, abilities=("history",))
    [lacking] = plugin_checks.missing_protocols(FakeRail(), said)
    assert lacking == "history is declared, but the adapter lacks ports.abilities.History (history())"
    assert plugin_checks.missing_protocols(FakeRail(), RAIL.capabilities) == []
