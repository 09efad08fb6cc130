// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

interface Token {
    function transfer(address to, uint256 value) external returns (bool);
    function transferFrom(address from, address to, uint256 value) external returns (bool);
    function permit(address owner, address spender, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external;
}

/// What the three forms of the off-ramp's escrow have in common, as far as it is seen from outside: the names, the
/// selectors and the logs are those of the papers, the code is ours. Whoever deploys it runs it.
abstract contract Escrow {
    event Refunded(address indexed user, address indexed token, uint256 amount);
    event sentToUser(address user, address token, uint256 indexed amount, uint256 indexed time);

    error EnforcedPause();
    error ExpectedPause();
    error InsufficientBalance(uint256 amount);
    error TransferFailed(uint256 amount);
    error AddressZero(uint256 amount);
    error AccessControlUnauthorizedAccount(address account, bytes32 neededRole);

    struct Deposit {
        address token;
        address user;
        uint256 amount;
        uint256 exchangeRate;
        uint256 feeAmount;
    }

    address public immutable owner;
    bool public paused;
    uint256 public depositNonce;
    mapping(address => bool) public isWhitelistedAsset;
    mapping(uint256 => Deposit) private deposits;

    constructor() {
        owner = msg.sender;
    }

    modifier onlyOwner() {
        if (msg.sender != owner) revert AccessControlUnauthorizedAccount(msg.sender, 0);
        _;
    }

    modifier whenNotPaused() {
        if (paused) revert EnforcedPause();
        _;
    }

    function pause() external onlyOwner whenNotPaused {
        paused = true;
    }

    function unpause() external onlyOwner {
        if (!paused) revert ExpectedPause();
        paused = false;
    }

    function setWhitelistedAsset(address token, bool on) external onlyOwner {
        isWhitelistedAsset[token] = on;
    }

    function refundUser(address user, address token, uint256 amount) external onlyOwner {
        _send(token, user, amount);
        emit Refunded(user, token, amount);
    }

    function viewDepositWithNonce(uint256 nonce)
        external
        view
        returns (address token, address user, uint256 amount, uint256 exchangeRate, uint256 feeAmount)
    {
        Deposit storage found = deposits[nonce];
        return (found.token, found.user, found.amount, found.exchangeRate, found.feeAmount);
    }

    function _take(address token, uint256 amount, uint256 exchangeRate, uint256 feeAmount)
        internal
        whenNotPaused
        returns (uint256 nonce)
    {
        require(isWhitelistedAsset[token], "asset is not whitelisted");
        (bool done, bytes memory answer) =
            token.call(abi.encodeCall(Token.transferFrom, (msg.sender, address(this), amount)));
        if (!done || (answer.length > 0 && !abi.decode(answer, (bool)))) revert TransferFailed(amount);
        nonce = ++depositNonce;
        deposits[nonce] = Deposit(token, msg.sender, amount, exchangeRate, feeAmount);
    }

    function _send(address token, address to, uint256 amount) internal {
        if (to == address(0)) revert AddressZero(amount);
        (bool done, bytes memory answer) = token.call(abi.encodeCall(Token.transfer, (to, amount)));
        if (!done || (answer.length > 0 && !abi.decode(answer, (bool)))) revert InsufficientBalance(amount);
    }
}

/// The form of the first papers: the rate and the fee are told with the money.
contract EscrowA is Escrow {
    event Deposited(
        address user,
        address token,
        uint256 indexed amount,
        uint256 indexed nonce,
        uint256 indexed exchangeRate,
        uint256 feeAmount
    );

    function withdrawToEscrow(address _tokenAddress, uint256 _amount, uint256 _exchangeRate, uint256 _feeAmount)
        public
        returns (uint256 nonce)
    {
        nonce = _take(_tokenAddress, _amount, _exchangeRate, _feeAmount);
        emit Deposited(msg.sender, _tokenAddress, _amount, nonce, _exchangeRate, _feeAmount);
    }

    function withdrawWithPermit(
        address _tokenAddress,
        uint256 _amount,
        uint256 _exchangeRate,
        uint256 _feeAmount,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external returns (uint256 nonce) {
        Token(_tokenAddress).permit(msg.sender, address(this), _amount, deadline, v, r, s);
        return withdrawToEscrow(_tokenAddress, _amount, _exchangeRate, _feeAmount);
    }

    function depositToWallet(address user, address token, uint256 amount, uint256, uint256) external onlyOwner {
        _send(token, user, amount);
        emit sentToUser(user, token, amount, block.timestamp);
    }
}

/// What the two later forms share.
abstract contract EscrowLater is Escrow {
    event Deposited(address user, address token, uint256 indexed amount, uint256 indexed nonce);

    function depositToWallet(address user, address token, uint256 amount) external onlyOwner {
        _send(token, user, amount);
        emit sentToUser(user, token, amount, block.timestamp);
    }

    function _deposit(address token, uint256 amount, uint256 feeAmount) internal returns (uint256 nonce) {
        nonce = _take(token, amount, 0, feeAmount);
        emit Deposited(msg.sender, token, amount, nonce);
    }
}

/// The form of the later papers: the money alone.
contract EscrowB is EscrowLater {
    function withdrawToEscrow(address _tokenAddress, uint256 _amount) public payable returns (uint256 nonce) {
        return _deposit(_tokenAddress, _amount, 0);
    }

    function withdrawWithPermit(address _tokenAddress, uint256 _amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external
        returns (uint256 nonce)
    {
        Token(_tokenAddress).permit(msg.sender, address(this), _amount, deadline, v, r, s);
        return withdrawToEscrow(_tokenAddress, _amount);
    }
}

/// The form of the newest page: the money and the fee.
contract EscrowC is EscrowLater {
    function withdrawToEscrow(address _tokenAddress, uint256 _amount, uint256 _feeAmount)
        public
        payable
        returns (uint256 nonce)
    {
        return _deposit(_tokenAddress, _amount, _feeAmount);
    }
}
