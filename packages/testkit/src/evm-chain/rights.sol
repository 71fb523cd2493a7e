// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import "./coin.sol";

// What the tests of rights that others use run on a real chain.

/// The allowances of Permit2, by the words of its EIP-712 types. It does not ask whether they have ended: the test does what a
/// contract with a fault would let through.
contract Lender {
    struct Details {
        address token;
        uint160 amount;
        uint48 expiration;
        uint48 nonce;
    }

    mapping(address => mapping(address => mapping(address => uint160))) public lent;

    bytes32 constant DOMAIN = keccak256("EIP712Domain(string name,uint256 chainId,address verifyingContract)");
    bytes32 constant DETAILS = keccak256("PermitDetails(address token,uint160 amount,uint48 expiration,uint48 nonce)");
    bytes32 constant SINGLE =
        keccak256("PermitSingle(PermitDetails details,address spender,uint256 sigDeadline)PermitDetails(address token,uint160 amount,uint48 expiration,uint48 nonce)");

    function permit(address owner, Details calldata details, address spender, uint256 sigDeadline, uint8 v, bytes32 r, bytes32 s) external {
        bytes32 domain = keccak256(abi.encode(DOMAIN, keccak256("Permit2"), block.chainid, address(this)));
        bytes32 data = keccak256(abi.encode(SINGLE, keccak256(abi.encode(DETAILS, details)), spender, sigDeadline));
        require(ecrecover(keccak256(abi.encodePacked(hex"1901", domain, data)), v, r, s) == owner, "signer");
        lent[owner][details.token][spender] = details.amount;
    }

    function transferFrom(address from, address to, uint160 amount, address token) external {
        lent[from][token][msg.sender] -= amount;
        Coin(token).transferFrom(from, to, amount);
    }
}

/// Takes what a market was shown an order for. Owners allow it, and not the market, to take their tokens.
contract Relayer {
    function take(address token, address from, address to, uint256 amount) external {
        Coin(token).transferFrom(from, to, amount);
    }
}

/// Fills orders of the type of CoW Protocol, as often as it is shown them.
contract Market {
    Relayer public immutable relayer = new Relayer();

    struct Order {
        address sellToken;
        address buyToken;
        address receiver;
        uint256 sellAmount;
        uint256 buyAmount;
        uint32 validTo;
        bytes32 appData;
        uint256 feeAmount;
        bytes32 kind;
        bool partiallyFillable;
        bytes32 sellTokenBalance;
        bytes32 buyTokenBalance;
    }

    bytes32 constant DOMAIN = keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 constant ORDER =
        keccak256("Order(address sellToken,address buyToken,address receiver,uint256 sellAmount,uint256 buyAmount,uint32 validTo,bytes32 appData,uint256 feeAmount,string kind,bool partiallyFillable,string sellTokenBalance,string buyTokenBalance)");

    function fill(Order calldata order, address owner, uint256 amount, uint8 v, bytes32 r, bytes32 s) external {
        bytes32 domain = keccak256(abi.encode(DOMAIN, keccak256("Market"), keccak256("1"), block.chainid, address(this)));
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", domain, keccak256(abi.encode(ORDER, order))));
        require(ecrecover(digest, v, r, s) == owner, "signer");
        relayer.take(order.sellToken, owner, msg.sender, amount);
    }
}

/// Code that an account can be delegated to (EIP-7702).
contract Purse {
    function pay(address payable to, uint256 amount) external {
        to.transfer(amount);
    }
}

/// Collects what it is allowed to, for whoever asks; and one that asks it, for whoever asks that.
contract Desk {
    function collect(address token, address from, address to, uint256 amount) external {
        Coin(token).transferFrom(from, to, amount);
    }
}

contract Relay {
    function collect(Desk desk, address token, address from, address to, uint256 amount) external {
        desk.collect(token, from, to, amount);
    }
}

/// A Safe with one owner, by the words of its EIP-712 type. It calls, and does nothing else.
contract Safe {
    address public immutable owner;
    uint256 public nonce;

    bytes32 constant DOMAIN = keccak256("EIP712Domain(uint256 chainId,address verifyingContract)");
    bytes32 constant TRANSACTION =
        keccak256("SafeTx(address to,uint256 value,bytes data,uint8 operation,uint256 safeTxGas,uint256 baseGas,uint256 gasPrice,address gasToken,address refundReceiver,uint256 nonce)");

    constructor(address holder) {
        owner = holder;
    }

    function exec(address to, bytes calldata data, uint8 v, bytes32 r, bytes32 s) external {
        bytes32 domain = keccak256(abi.encode(DOMAIN, block.chainid, address(this)));
        bytes32 inner = keccak256(
            abi.encode(TRANSACTION, to, 0, keccak256(data), uint8(0), 0, 0, 0, address(0), address(0), nonce++)
        );
        require(ecrecover(keccak256(abi.encodePacked(hex"1901", domain, inner)), v, r, s) == owner, "signer");
        (bool done, ) = to.call(data);
        require(done, "call");
    }
}
