// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// Stands where chains that post to another one tell what that costs: so much a byte.
contract FeeOracle {
    uint256 public weiPerByte;

    function setWeiPerByte(uint256 price) external {
        weiPerByte = price;
    }

    function getL1Fee(bytes calldata data) external view returns (uint256) {
        return data.length * weiPerByte;
    }
}
