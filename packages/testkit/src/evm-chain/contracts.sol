// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import "./coin.sol";

// What the tests of routes run on a real chain: small contracts that keep to the standards, and one that nobody knows.

contract Wrapped {
    mapping(address => uint256) public balanceOf;

    function deposit() external payable {
        balanceOf[msg.sender] += msg.value;
    }

    function depositTo(address to) external payable {
        balanceOf[to] += msg.value;
    }

    function withdraw(uint256 amount) external {
        withdrawTo(msg.sender, amount);
    }

    function withdrawTo(address to, uint256 amount) public {
        balanceOf[msg.sender] -= amount;
        (bool done, ) = to.call{value: amount}("");
        require(done, "pay");
    }
}

/// One share for each token.
contract Vault {
    Coin immutable asset;
    mapping(address => uint256) public balanceOf;

    constructor(Coin coin) {
        asset = coin;
    }

    function deposit(uint256 assets, address receiver) external returns (uint256) {
        asset.transferFrom(msg.sender, address(this), assets);
        balanceOf[receiver] += assets;
        return assets;
    }

    function redeem(uint256 shares, address receiver, address owner) external returns (uint256) {
        require(owner == msg.sender, "owner");
        balanceOf[owner] -= shares;
        asset.transfer(receiver, shares);
        return shares;
    }
}

contract Batch {
    struct Call {
        address target;
        bool allowFailure;
        uint256 value;
        bytes callData;
    }

    function aggregate3Value(Call[] calldata calls) external payable {
        for (uint256 i = 0; i < calls.length; i++) {
            (bool done, ) = calls[i].target.call{value: calls[i].value}(calls[i].callData);
            require(done || calls[i].allowFailure, "call");
        }
    }
}

/// Looks like a token and takes what it may of another one.
contract Unknown {
    Coin immutable coin;

    constructor(Coin target) {
        coin = target;
    }

    function transfer(address to, uint256) external returns (bool) {
        coin.transferFrom(msg.sender, to, coin.allowance(msg.sender, address(this)));
        return true;
    }
}

/// One of a kind each.
contract Nft {
    mapping(uint256 => address) public ownerOf;

    function mint(address to, uint256 id) external {
        ownerOf[id] = to;
    }

    function transferFrom(address from, address to, uint256 id) external {
        require(ownerOf[id] == from && msg.sender == from, "owner");
        ownerOf[id] = to;
    }
}

/// Many of each kind. It does not call who gets them.
contract Items {
    mapping(uint256 => mapping(address => uint256)) public held;

    function mint(address to, uint256 id, uint256 amount) external {
        held[id][to] += amount;
    }

    function safeTransferFrom(address from, address to, uint256 id, uint256 amount, bytes calldata) external {
        require(msg.sender == from, "owner");
        held[id][from] -= amount;
        held[id][to] += amount;
    }
}

/// A contract of no standard, whose ABI an operator registers.
contract Club {
    mapping(address => uint256) public levelOf;

    function join(uint256 level, address member) external payable {
        levelOf[member] = level;
    }

    function close(address payable to) external {
        to.transfer(address(this).balance);
    }

    /// Lets in whoever holds a text that the member signed (EIP-191).
    function signerOf(bytes32 digest, uint8 v, bytes32 r, bytes32 s) external pure returns (address) {
        return ecrecover(digest, v, r, s);
    }
}

/// Nobody knows it.
contract Jar {
    uint256 public coins;

    function put() external payable {
        coins++;
    }

    function take() external {
        coins--;
    }
}

/// Code that a wallet can delegate to (EIP-7702).
contract Purse {
    function owner() external view returns (address) {
        return address(this);
    }
}
