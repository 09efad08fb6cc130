// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// Writes logs that look like transfers and move nothing: anybody can. The second has an NFT's four topics, the third
/// a body of two words.
contract LogForger {
    event Transfer(address indexed from, address indexed to, uint256 value);

    bytes32 private constant TRANSFER = keccak256("Transfer(address,address,uint256)");

    function forge(address from, address to, uint256 value) external {
        emit Transfer(from, to, value);
    }

    function forgeMisshapen(address from, address to, uint256 value) external {
        bytes32 topic = TRANSFER;
        assembly {
            mstore(0, value)
            mstore(32, value)
            log4(0, 0, topic, from, to, value)
            log3(0, 64, topic, from, to)
        }
    }
}
