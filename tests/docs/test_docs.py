"""The papers are true and whole: settings, commands, paths, codes, events and states are those of the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import click
import pytest

from gateway.__main__ import main
from gateway.adapters.web.error_codes import CODES
from gateway.adapters.web.errors import STATUS, status_of
from gateway.adapters.web.errors_page import SECTIONS
from gateway.adapters.web.schemas.rails import RailSchema
from gateway.domain import due, errors, ledger
from gateway.domain.attempts import AttemptState
from gateway.domain.checkout import SessionState
from gateway.domain.payments import ExceptionStatus, PaymentState
from gateway.domain.payouts import PayoutState
from gateway.domain.refunds import RefundState
from gateway.domain.webhooks import EVENT_TYPES, RETRY_AFTER_S, DeliveryState
from ports.report import FailureKind
from tests.docs.papers import DOCS, ROOT, anchors_of, blocks_of, links_of, prose_of
from tests.unit.web.scripted import World

GUIDE = (DOCS / "api-guide.md").read_text()
OPERATORS = (DOCS / "operators.md").read_text()
PAGES = sorted([*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "CHANGELOG.md"])
#: Refusals of the command line, which answers no HTTP.
CLI_ONLY = {
    "backup_failed",
    "not_supported",
    "policy_invalid",
    "statement_account",
    "statement_known",
    "statement_unreadable",
    "registration_refused",
    "registration_unknown",
    "api_refused",
    "configuration_invalid",
    "key_required",
    "fee_invalid",
    "tax_invalid",
    "reason_required",
    "resolution_invalid",
    "same_float",
    "window_invalid",
    "callback_list_invalid",
    "float_short",
    "move_invalid",
    "address_invalid",
    "wallet_known",
    "chain_away",
    "field_unknown",
    "setting_invalid",
    "settlement_invalid",
    "shop_tag_invalid",
}
#: Where refusals of the API are made.
SERVING = ("gateway/domain", "gateway/application", "gateway/adapters/persistence", "gateway/adapters/web")
#: Journals that no business sees.
OWN_KINDS = {
    "charge",
    "own.sent",
    "own.received",
    "funding",
    "tokens.in",
    "tokens.out",
    "gas",
    "reorganised",
}
#: Only workers meet it.
INSIDE_ONLY = {"payout_attempt_live"}
#: Whole names: `GATEWAY_DATABASE_URL_{role}` holds only the beginning of some.
_SETTING = re.compile(r"GATEWAY_[A-Z_]*[A-Z](?![A-Z_])")


def _sources(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from (ROOT / folder).rglob("*.py")


def _settings_in(text: str) -> set[str]:
    roles = re.findall(r'_database\(environ, "([A-Z]+)"\)', text)
    return {*_SETTING.findall(text), *(f"GATEWAY_DATABASE_URL_{role}" for role in roles)}


def test_every_setting_that_the_code_reads_is_in_the_operators_table_and_the_other_way_round() -> None:
    read: set[str] = set()
    for path in (ROOT / "gateway/settings.py", ROOT / "gateway/adapters/web/gunicorn_conf.py"):
        read |= _settings_in(path.read_text())
    read |= _settings_in((ROOT / "docker-compose.yml").read_text())
    documented = set(re.findall(r"`(GATEWAY_[A-Z_]+)`(?=[^\n]*\|)", OPERATORS))
    assert documented == read
    assert len(read) > 15


def test_no_setting_is_read_elsewhere() -> None:
    elsewhere = [
        path.relative_to(ROOT).as_posix()
        for path in _sources("gateway", "plugins", "ports")
        if re.search(r"os\.environ\b", path.read_text())
    ]
    assert sorted(elsewhere) == [
        "gateway/__main__.py",
        "gateway/adapters/web/gunicorn_conf.py",
        # A process with an environment of its own, which no other may share.
        "gateway/signer/__main__.py",
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    for link in links_of(page.read_text()):
        if re.match(r"https?:", link):
            continue
        target, _, anchor = link.partition("#")
        path = (page.parent / target).resolve() if target else page
        assert path.exists(), f"{link} leads nowhere"
        assert path.is_relative_to(ROOT)
        if anchor:
            assert anchor in anchors_of(path.read_text()), f"{link} leads to no heading"


def test_the_index_names_every_page() -> None:
    index = DOCS / "README.md"
    named = {(DOCS / link).resolve() for link in links_of(index.read_text())}
    pages = {page for page in DOCS.rglob("*.md") if page != index}
    assert pages <= named


# Commands and paths -----------------------------------------------------------------------------------------------


def _commands(text: str) -> set[tuple[str, ...]]:
    """Every `python -m gateway …` of a page, blocks and prose, up to the end of its words."""
    joined = text.replace("\\\n", " ")
    found = re.findall(r"python -m gateway ((?:[a-z][a-z-]*[ `\n])+)([^`|;)\n]*)", joined)
    return {(*words.replace("`", " ").split(), *re.findall(r"--[a-z-]+", rest)) for words, rest in found}


def _check(command: tuple[str, ...]) -> None:
    here: click.Command = main
    for word in command:
        options = {text for option in here.params for text in (*option.opts, *option.secondary_opts)}
        if word.startswith("--"):
            assert word in options, f"{' '.join(command)}: no option {word}"
        elif isinstance(here, click.Group):
            assert word in here.commands, f"{' '.join(command)}: no command {word}"
            here = here.commands[word]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_command_and_option_exists(page: Path) -> None:
    for command in _commands(page.read_text()):
        _check(command)


def test_commands_are_found_in_the_operators_page() -> None:
    found = _commands(OPERATORS)
    assert len(found) > 15
    assert any(command[:2] == ("connection", "add") and "--float" in command for command in found)


def _paths() -> set[str]:
    app = World().client(test_clock=SimpleNamespace()).application
    return {re.sub(r"<[^>]+>", "{}", rule.rule) for rule in app.url_map.iter_rules()}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_path_of_the_api_exists(page: Path) -> None:
    """Whatever the papers name under /v1 is there: nothing is promised."""
    known = _paths()
    text = re.sub(r"\$\{?[A-Z]+\}?|\{id\}|(?<=/)(?:pay|po|we|cs)_…", "{}", page.read_text())
    for path in re.findall(r"/v1/[a-z_{}/]+", text):
        wanted = path.rstrip("/")
        assert wanted in known, f"{path} is no path of the API"


# Errors -----------------------------------------------------------------------------------------------------------


def test_every_code_stands_once_in_the_catalogue() -> None:
    listed = [code for _, codes in SECTIONS.values() for code in codes]
    assert sorted(listed) == sorted(CODES)


def _classes() -> dict[str, type[errors.GatewayError]]:
    found: dict[str, type[errors.GatewayError]] = {"GatewayError": errors.GatewayError}
    for module in (errors, ledger):
        found |= {
            name: one
            for name, one in vars(module).items()
            if isinstance(one, type) and issubclass(one, errors.GatewayError)
        }
    return found


def _raised() -> Iterator[tuple[str, int | None]]:
    """(code, status) of each refusal that the code can make; no status where the class isn't named on the spot."""
    classes = _classes()
    for one in classes.values():
        yield one.code, status_of(one.__new__(one))
    for path in _sources(
        "gateway/domain", "gateway/application", "gateway/adapters/persistence", "gateway/adapters/web"
    ):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            for given in node.keywords:
                if given.arg == "code" and isinstance(given.value, ast.Constant) and name in classes:
                    kind = classes[name]
                    yield str(given.value.value), status_of(kind.__new__(kind))
            if name == "Said" and isinstance(node.args[-1], ast.Constant):
                yield str(node.args[-1].value), 400


def test_every_refusal_is_documented_under_the_status_that_it_is_answered_with() -> None:
    by_code = {code: status for status, (_, codes) in SECTIONS.items() for code in codes}
    raised = set(_raised())
    assert len(raised) > 35
    for code, status in sorted(raised, key=str):
        if code in CLI_ONLY | INSIDE_ONLY or code == errors.GatewayError.code:
            continue
        assert by_code.get(code) == status, f"{code} is answered with {status}"


def test_sections_are_the_statuses_that_there_are() -> None:
    assert set(STATUS.values()) | {405, 413, 415} == set(SECTIONS)


def test_codes_of_the_command_line_are_in_the_operators_page() -> None:
    assert {code for code in CLI_ONLY if f"`{code}`" not in OPERATORS} == set()


def test_codes_that_the_guide_names_exist() -> None:
    shown = set(re.findall(r'"code": "([a-z_]+)"', "".join(b.text for b in blocks_of(GUIDE))))
    assert shown <= {*CODES, *(kind.value for kind in FailureKind)}


# States and events ------------------------------------------------------------------------------------------------


def _first_column(heading: str, text: str = GUIDE) -> list[str]:
    """The words in the first column of the tables below a heading."""
    section = text.split(f"\n{heading}\n", 1)[1].split("\n#", 1)[0]
    return [
        word for row in re.findall(r"^\| ([^|]+)\|", section, re.MULTILINE) for word in re.findall(r"`([\w.]+)`", row)
    ]


@pytest.mark.parametrize(
    ("heading", "words"),
    [
        ("### Payment", {s.value for s in PaymentState} | {s.value for s in ExceptionStatus}),
        ("### Checkout session", {s.value for s in SessionState}),
        ("### Attempt", {s.value for s in AttemptState}),
        ("### Payout", {s.value for s in PayoutState}),
        ("### Refund", {s.value for s in RefundState}),
        ("### Webhook endpoint and delivery", {s.value for s in DeliveryState}),
        ("## Payments without the page", {kind.value for kind in FailureKind}),
        ("## Events and webhooks", set(EVENT_TYPES)),
        (
            "## Lists, cursors, expansion",
            {k.value for k in ledger.Kind} - OWN_KINDS,
        ),
    ],
)
def test_every_word_that_the_api_can_say_is_explained(heading: str, words: set[str]) -> None:
    assert words - set(_first_column(heading)) == set()


def test_every_event_has_one_line_and_no_other_is_promised() -> None:
    listed = [word for word in _first_column("## Events and webhooks") if "." in word]
    assert sorted(listed) == sorted(EVENT_TYPES)


def test_the_table_of_retries_is_the_codes() -> None:
    unit = {"second": 1, "minute": 60, "hour": 3600}
    rows = re.findall(r"^\| \d+ \| (?:(at once)|(\d+) (\w+?)s?) \|$", GUIDE, re.MULTILINE)
    assert tuple(0 if at_once else int(n) * unit[word] for at_once, n, word in rows) == RETRY_AFTER_S


def test_every_alert_is_explained_to_operators() -> None:
    raised = {"due_work_failing"}
    for path in _sources("gateway/application"):
        raised |= set(re.findall(r'alerts\.raise_\(\s*"([a-z_]+)"', path.read_text()))
    explained = set(_first_column("## What to watch", OPERATORS))
    assert raised <= explained
    assert len(raised) > 8


def test_every_event_that_no_business_gets_is_explained_to_operators() -> None:
    put = {
        word
        for path in _sources("gateway/application")
        for word in re.findall(r'events\.put\(\s*"([a-z_.]+)"', path.read_text())
    }
    assert "connection.degraded" in put - set(EVENT_TYPES)
    assert put - set(EVENT_TYPES) <= set(_first_column("## What to watch", OPERATORS))


def test_every_field_of_a_way_to_pay_is_explained() -> None:
    assert set(RailSchema().fields) - {"a_part"} <= set(_first_column("## What can be used"))


def test_every_queue_is_explained_to_operators() -> None:
    assert all(f"`{queue}`" in OPERATORS for queue in due.QUEUES)


def test_what_isnt_there_is_named_as_missing_only() -> None:
    """Words of things that this release doesn't have stand in the chapter that says so, or in a "no …" sentence."""
    text = prose_of(GUIDE).split("## Not in this release")[0]
    for word in ("beneficiar", "batch", "dispute", "stablecoin", "crypto", "USDC"):
        assert word not in text.lower(), f"the guide speaks of {word!r}, which this release doesn't have"
