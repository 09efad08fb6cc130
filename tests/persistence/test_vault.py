"""The vault: what is sealed opens only where it was sealed, and look-ups survive a rotation."""

from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.persistence.vault import CannotOpen, Vault
from tests.persistence.shop import new_id

OLD, NEW = (b64encode(bytes([n]) * 32).decode() for n in (1, 2))
BUSINESS = new_id()


@given(plain=st.binary(max_size=200))
def test_what_is_sealed_opens(plain: bytes) -> None:
    vault = Vault.of(OLD)
    sealed = vault.seal(plain, column="customer.phone", business_id=BUSINESS)
    assert vault.open(sealed, column="customer.phone", business_id=BUSINESS) == plain
    assert len(plain) < 8 or plain not in sealed


def test_the_same_text_never_looks_the_same() -> None:
    vault = Vault.of(OLD)
    seals = {vault.seal("+254712345126", column="customer.phone", business_id=BUSINESS) for _ in range(20)}
    assert len(seals) == 20


def test_a_sealed_value_doesn_t_open_elsewhere_or_changed() -> None:
    vault = Vault.of(OLD)
    sealed = vault.seal("secret", column="customer.phone", business_id=BUSINESS)
    for column, business in (("customer.name", BUSINESS), ("customer.phone", new_id()), ("customer.phone", None)):
        with pytest.raises(CannotOpen):
            vault.open(sealed, column=column, business_id=business)
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(CannotOpen):
            vault.open(bytes(changed), column="customer.phone", business_id=BUSINESS)
    for cut in (b"", sealed[:1], sealed[:5], sealed[:20]):
        with pytest.raises(CannotOpen):
            vault.open(cut, column="customer.phone", business_id=BUSINESS)


def test_a_new_master_key_seals_and_the_old_one_still_opens() -> None:
    before = Vault.of(f"k1:{OLD}")
    after = Vault.of(f"k2:{NEW}, k1:{OLD}")
    sealed = before.seal("x", column="c", business_id=None)
    assert after.open_text(sealed, column="c", business_id=None) == "x"
    newer = after.seal("x", column="c", business_id=None)
    with pytest.raises(CannotOpen, match="k2"):
        before.open(newer, column="c", business_id=None)
    assert before.blind("+254712345126", "phone") == after.blind("+254712345126", "phone"), "look-ups still find"


def test_blinding_tells_texts_and_purposes_apart() -> None:
    vault = Vault.of(OLD)
    assert len(vault.blind("a", "phone")) == 32
    assert vault.blind("a", "phone") != vault.blind("b", "phone")
    assert vault.blind("a", "phone") != vault.blind("a", "callback")
    assert vault.blind("a", "phone") != Vault.of(NEW).blind("a", "phone")


@pytest.mark.parametrize(
    "text",
    [
        "",
        " , ",
        "k1:",
        "short",
        b64encode(bytes(31)).decode(),
        f"k1:{OLD},k1:{NEW}",
        f"a b:{OLD}",
        f":{OLD}",
        "k1:!!!!",
    ],
)
def test_a_wrong_master_key_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(ValueError, match="master key") as refused:
        Vault.of(text)
    assert OLD not in str(refused.value)


def test_a_vault_doesn_t_show_its_keys() -> None:
    vault = Vault.of(f"k1:{OLD}")
    vault.blind("a", "phone")
    assert repr(vault) == "Vault(keys=['k1'])"
