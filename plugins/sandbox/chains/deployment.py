"""What is put on a local node so that treasury has something to hold: tokens, an escrow, and what charges for gas."""

from dataclasses import dataclass

from plugins.sandbox.chains.contracts import DEPLOYER, Contract, artefacts, deploy
from plugins.sandbox.chains.controls import Controls

#: Where every OP-stack chain tells what the layer below charges.
GAS_PRICE_ORACLE = "0x420000000000000000000000000000000000000f"
_WEI_PER_BYTE = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenKind:
    """A token by its code, with the name and version of its signing domain."""

    code: str
    name: str
    version: str
    decimals: int

    @property
    def symbol(self) -> str:
        """What stands before the network."""
        return self.code.partition(".")[0]


#: The tokens of each network, as live ones are named.
TOKENS = {
    "celo": (
        TokenKind(code="USDT.celo", name="Tether USD", version="1", decimals=6),
        TokenKind(code="USDC.celo", name="USDC", version="2", decimals=6),
        TokenKind(code="cKES.celo", name="Mento Kenyan Shilling", version="1", decimals=18),
    ),
    "polygon": (
        TokenKind(code="USDT.polygon", name="USDT0", version="1", decimals=6),
        TokenKind(code="USDCe.polygon", name="USD Coin (PoS)", version="1", decimals=6),
    ),
    "base": (TokenKind(code="USDC.base", name="USD Coin", version="2", decimals=6),),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """What stands on one node. `tokens` go by code."""

    network: str
    tokens: dict[str, Contract]
    escrow: Contract
    forger: Contract
    silent: Contract
    fee_oracle: str | None

    def settings(self) -> dict[str, str]:
        """What a sandbox connection to this node says of its facts."""
        pairs = " ".join(f"{code}={token.address}" for code, token in self.tokens.items())
        return {"tokens": pairs} | ({"fee_oracle": self.fee_oracle} if self.fee_oracle else {})


def put_on(controls: Controls, network: str, *, escrow: str = "B") -> Deployed:
    """Deploy all of it; `escrow` is the form of the escrow: A, B or C. On a fresh node the addresses are always the
    same."""
    tokens = {
        kind.code: deploy(controls, "TestToken", kind.name, kind.version, kind.symbol, kind.decimals)
        for kind in TOKENS[network]
    }
    vault = deploy(controls, f"Escrow{escrow}")
    for token in tokens.values():
        vault.do("setWhitelistedAsset", token.address, True)
    oracle = _oracle(controls) if network == "base" else None
    return Deployed(
        network=network,
        tokens=tokens,
        escrow=vault,
        forger=deploy(controls, "LogForger"),
        silent=deploy(controls, "SilentToken", 6),
        fee_oracle=oracle,
    )


def _oracle(controls: Controls) -> str:
    controls.code(GAS_PRICE_ORACLE, artefacts()["FeeOracle"]["runtime"])
    Contract("FeeOracle", GAS_PRICE_ORACLE, controls).do("setWeiPerByte", _WEI_PER_BYTE)
    return GAS_PRICE_ORACLE


def endow(deployed: Deployed, controls: Controls, address: str, *, coins: int = 10**20, whole: int = 1_000) -> None:
    """Give an address coins for gas and `whole` of each token."""
    controls.give_coins(address, coins)
    decimals = {kind.code: kind.decimals for kind in TOKENS[deployed.network]}
    for code, token in deployed.tokens.items():
        token.do("mint", address, whole * 10 ** decimals[code], sender=DEPLOYER)
