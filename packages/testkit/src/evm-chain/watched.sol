// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// What the tests of the watch run on a real chain.

contract Token {
    string public symbol = "TOK";
    uint8 public decimals = 6;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
        emit Transfer(address(0), to, amount);
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        _move(msg.sender, to, amount);
        return true;
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        emit Approval(msg.sender, spender, amount);
        return true;
    }

    /// As newer tokens do: what is left of the allowance is not told.
    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        allowance[from][msg.sender] -= amount;
        _move(from, to, amount);
        return true;
    }

    function _move(address from, address to, uint256 amount) internal {
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
        emit Transfer(from, to, amount);
    }
}

/// Says whatever it is told to say.
contract Liar {
    event Transfer(address indexed from, address indexed to, uint256 value);

    function say(address from, address to, uint256 amount, uint256 times) external {
        for (uint256 i = 0; i < times; i++) emit Transfer(from, to, amount + i);
    }
}

contract Purse {
    receive() external payable {}

    function pay(address to, uint256 amount) external {
        (bool done, ) = to.call{value: amount}("");
        require(done, "pay");
    }

    function refuse() external payable {
        revert("no");
    }
}

contract Proxy {
    bytes32 constant SLOT = 0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc;

    constructor(address to) {
        upgrade(to);
    }

    function upgrade(address to) public {
        assembly {
            sstore(SLOT, to)
        }
    }

    receive() external payable {}
}
