"""Keys at rest, and who may ask."""

from __future__ import annotations

import os
import socket

import pytest

from gateway.application.interfaces.treasury import SignerRefused
from gateway.signer.client import SignerClient
from gateway.signer.keys import KeyStore, KeyTrouble
from gateway.signer.server import Door, serve
from ports.chain import Intent, IntentKind, Unsigned
from ports.errors import NotSent
from tests.signer.conftest import ADDRESS, CHAIN, FRIEND, PUBLIC_KEY, SECRET, TOKEN, Place, payload, transfer


def unsigned(content: bytes) -> Unsigned:
    return Unsigned(content=content, nonce=0, gas=100_000, tip=10**9, max_fee=10**10, fee_units_max=10**15)


PAY = Intent(kind=IntentKind.TRANSFER, asset="USDT.celo", to=FRIEND, units=5, fee_cap_units=10**16)


class TestKeys:
    def test_a_key_is_kept_sealed_and_comes_out_whole(self, place: Place) -> None:
        keys = place.signer().keys
        kept = b"".join(path.read_bytes() for path in place.folder.iterdir())
        for form in (PUBLIC_KEY, PUBLIC_KEY.hex().encode(), PUBLIC_KEY[::-1]):
            assert form not in kept
        assert keys.give_out(ADDRESS) == PUBLIC_KEY
        assert oct((place.folder / f"{ADDRESS}.json").stat().st_mode)[-3:] == "600"

    def test_a_new_master_wraps_again_and_the_old_one_may_go(self, place: Place) -> None:
        made = place.signer().keys.make()
        both = KeyStore(folder=place.folder, masters={"b": b"b" * 32, **place.masters})
        assert (both.rewrap(), both.rewrap()) == (2, 0)
        new = KeyStore(folder=place.folder, masters={"b": b"b" * 32})
        assert new.give_out(ADDRESS) == PUBLIC_KEY
        assert new.addresses() == sorted([made, ADDRESS])
        with pytest.raises(KeyTrouble, match="which is no master key here"):
            KeyStore(folder=place.folder, masters=place.masters).give_out(ADDRESS)

    def test_a_file_that_was_swapped_does_not_open(self, place: Place) -> None:
        keys = place.signer().keys
        other = keys.make()
        (place.folder / f"{other}.json").write_bytes((place.folder / f"{ADDRESS}.json").read_bytes())
        with pytest.raises(KeyTrouble, match="changed"):
            keys.give_out(other)

    @pytest.mark.parametrize("private", [b"", bytes(32), b"x" * 31, b"\xff" * 32])
    def test_what_is_no_key_is_refused(self, place: Place, private: bytes) -> None:
        with pytest.raises(KeyTrouble):
            place.signer().keys.take_in(private)


class TestTheDoor:
    def test_it_signs_for_who_knows_the_secret(self, door: SignerClient) -> None:
        raw, tx = door.sign(ADDRESS, PAY, unsigned(payload(transfer(5))), chain_id=CHAIN, token=TOKEN)
        assert (raw[0], tx[:2], len(tx)) == (2, "0x", 66)
        assert door.addresses() == [ADDRESS]

    def test_a_refusal_says_which_rule(self, door: SignerClient) -> None:
        with pytest.raises(SignerRefused, match="bytes aren't what they are said to be"):
            door.sign(ADDRESS, PAY, unsigned(payload(transfer(6))), chain_id=CHAIN, token=TOKEN)

    def test_another_secret_opens_nothing(self, door: SignerClient) -> None:
        with pytest.raises(NotSent, match="not_proved"):
            SignerClient(path=door.path, secret=b"x" * 32).addresses()

    def test_another_user_is_not_heard(self, place: Place) -> None:
        from threading import Thread

        path = place.folder / "other"
        server = serve(path, place.signer(), Door(uids=frozenset({os.getuid() + 1}), secret=SECRET))
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        with pytest.raises(NotSent):
            SignerClient(path=str(path), secret=SECRET).addresses()
        server.shutdown()
        server.server_close()

    def test_a_signer_that_is_away_sent_nothing(self, place: Place) -> None:
        with pytest.raises(NotSent):
            SignerClient(path=str(place.folder / "nobody"), secret=SECRET).addresses()

    @pytest.mark.parametrize("line", [b"\n", b"[]\n", b"{}\n", b"x" * 300_000, b'{"do":"sign"}\n', b"\xff\xfe\n"])
    def test_nonsense_is_no_fault(self, door: SignerClient, line: bytes) -> None:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(5)
            sock.connect(door.path)
            sock.recv(1000)
            try:
                sock.sendall(line)
                sock.shutdown(socket.SHUT_WR)
                while sock.recv(1000):
                    pass
            except OSError:
                pass
        assert door.addresses() == [ADDRESS]

    def test_a_second_signer_does_not_take_the_place_of_a_live_one(self, door: SignerClient, place: Place) -> None:
        from pathlib import Path

        with pytest.raises(RuntimeError, match="another signer"):
            serve(Path(door.path), place.signer(), Door(uids=frozenset(), secret=SECRET))
        assert door.addresses() == [ADDRESS]
