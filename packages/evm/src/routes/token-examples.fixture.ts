import { maxUint256 } from 'viem';
import { type RouteExample, ZERO, B32, SIG, coin, LATER, of, paying, opaque } from './route-example.fixture.ts';
import { ALICE, BOB, COIN, contractOf, WALLET, type Flow } from './world.fixture.ts';

export function tokenExamples(): RouteExample[] {
  const erc20 = of('erc20');
  const burnable = of('erc20-burnable');
  const [a2612, dai, a3009] = [of('eip2612'), of('dai-permit'), of('eip3009')];
  const [a777, a677, a1363] = [of('erc777'), of('erc677'), of('erc1363')];
  const self = (standard: string) => coin(contractOf(standard));
  const transfer = 'transfer(address to, uint256 amount)';
  const approve = 'approve(address spender, uint256 amount)';
  const transferFrom = 'transferFrom(address from, address to, uint256 amount)';
  const auth = 'address from, address to, uint256 value, uint256 validAfter, uint256 validBefore, bytes32 nonce';
  const authorized: Flow = ['wallet', self('eip3009'), 5n, BOB, 'eip3009'];
  const permit = 'address owner, address spender, uint256 value, uint256 deadline';
  return [
    erc20(transfer, [BOB, 5n], ['wallet', coin(COIN), 5n, BOB, 'transfer']),
    erc20(transfer, [BOB, maxUint256], ['wallet', coin(COIN), 'unlimited', BOB, 'transfer']),
    paying(
      3n,
      erc20(transfer, [BOB, 5n], ['wallet', coin(COIN), 5n, BOB, 'transfer'], ['wallet', 'native', 3n, COIN, 'value']),
    ),
    erc20(transferFrom, [WALLET, BOB, 5n], ['wallet', coin(COIN), 5n, BOB, 'transfer-from']),
    erc20(transferFrom, [ALICE, BOB, 5n], [ALICE, coin(COIN), 5n, BOB, 'transfer-from']),
    erc20(approve, [BOB, 5n], ['wallet', coin(COIN), 5n, BOB, 'approve', 'allowance']),
    erc20(approve, [BOB, maxUint256], ['wallet', coin(COIN), 'unlimited', BOB, 'approve', 'allowance']),
    erc20(approve, [BOB, 0n], ['wallet', coin(COIN), 0n, BOB, 'approve', 'allowance']),
    ...['increaseAllowance', 'increaseApproval'].map((name) =>
      erc20(
        `${name}(address spender, uint256 addedValue)`,
        [BOB, 5n],
        ['wallet', coin(COIN), 5n, BOB, 'increase-allowance', 'allowance'],
      ),
    ),
    ...['decreaseAllowance', 'decreaseApproval'].map((name) =>
      erc20(
        `${name}(address spender, uint256 subtractedValue)`,
        [BOB, 5n],
        ['wallet', coin(COIN), 0n, BOB, 'approve', 'allowance'],
      ),
    ),
    burnable('burn(uint256 amount)', [5n], ['wallet', self('erc20-burnable'), 5n, ZERO, 'transfer']),
    burnable(
      'burnFrom(address account, uint256 amount)',
      [ALICE, 5n],
      [ALICE, self('erc20-burnable'), 5n, ZERO, 'transfer'],
    ),
    a2612(
      `permit(${permit}, uint8 v, bytes32 r, bytes32 s)`,
      [WALLET, BOB, 5n, LATER, ...SIG],
      ['wallet', self('eip2612'), 5n, BOB, 'permit', 'allowance'],
    ),
    a2612(
      `permit(${permit}, bytes signature)`,
      [ALICE, BOB, maxUint256, LATER, '0x'],
      [ALICE, self('eip2612'), 'unlimited', BOB, 'permit', 'allowance'],
    ),
    ...[true, false].map((allowed) =>
      dai(
        'permit(address holder, address spender, uint256 nonce, uint256 expiry, bool allowed, uint8 v, bytes32 r, bytes32 s)',
        [WALLET, BOB, 0n, LATER, allowed, ...SIG],
        ['wallet', self('dai-permit'), allowed ? 'unlimited' : 0n, BOB, 'dai-permit', 'allowance'],
      ),
    ),
    ...['transferWithAuthorization', 'receiveWithAuthorization'].flatMap((name) => [
      a3009(`${name}(${auth}, uint8 v, bytes32 r, bytes32 s)`, [WALLET, BOB, 5n, 0n, LATER, B32, ...SIG], authorized),
      a3009(`${name}(${auth}, bytes signature)`, [WALLET, BOB, 5n, 0n, LATER, B32, '0x'], authorized),
    ]),
    a3009('cancelAuthorization(address authorizer, bytes32 nonce, uint8 v, bytes32 r, bytes32 s)', [
      WALLET,
      B32,
      ...SIG,
    ]),
    a3009('cancelAuthorization(address authorizer, bytes32 nonce, bytes signature)', [WALLET, B32, '0x']),
    a777(
      'send(address recipient, uint256 amount, bytes data)',
      [BOB, 5n, '0x'],
      ['wallet', self('erc777'), 5n, BOB, 'erc777'],
    ),
    opaque('erc777', 'callback_data', 'send(address recipient, uint256 amount, bytes data)', [BOB, 5n, '0x01']),
    a777(
      'operatorSend(address sender, address recipient, uint256 amount, bytes data, bytes operatorData)',
      [ALICE, BOB, 5n, '0x', '0x'],
      [ALICE, self('erc777'), 5n, BOB, 'erc777'],
    ),
    opaque(
      'erc777',
      'callback_data',
      'operatorSend(address sender, address recipient, uint256 amount, bytes data, bytes operatorData)',
      [ALICE, BOB, 5n, '0x', '0x01'],
    ),
    a777('burn(uint256 amount, bytes data)', [5n, '0x01'], ['wallet', self('erc777'), 5n, ZERO, 'transfer']),
    a777(
      'authorizeOperator(address operator)',
      [BOB],
      ['wallet', self('erc777'), 'unlimited', BOB, 'erc777', 'allowance'],
    ),
    a777('revokeOperator(address operator)', [BOB], ['wallet', self('erc777'), 0n, BOB, 'erc777', 'allowance']),
    a677(
      'transferAndCall(address to, uint256 value, bytes data)',
      [BOB, 5n, '0x'],
      ['wallet', self('erc677'), 5n, BOB, 'transfer-and-call'],
    ),
    opaque('erc677', 'callback_data', 'transferAndCall(address to, uint256 value, bytes data)', [BOB, 5n, '0x01']),
    a1363(
      'transferAndCall(address to, uint256 value)',
      [BOB, 5n],
      ['wallet', self('erc1363'), 5n, BOB, 'transfer-and-call'],
    ),
    a1363(
      'transferAndCall(address to, uint256 value, bytes data)',
      [BOB, 5n, '0x'],
      ['wallet', self('erc1363'), 5n, BOB, 'transfer-and-call'],
    ),
    a1363(
      'transferFromAndCall(address from, address to, uint256 value)',
      [ALICE, BOB, 5n],
      [ALICE, self('erc1363'), 5n, BOB, 'transfer-and-call'],
    ),
    a1363(
      'transferFromAndCall(address from, address to, uint256 value, bytes data)',
      [WALLET, BOB, 5n, '0x'],
      ['wallet', self('erc1363'), 5n, BOB, 'transfer-and-call'],
    ),
    a1363(
      'approveAndCall(address spender, uint256 value)',
      [BOB, 5n],
      ['wallet', self('erc1363'), 5n, BOB, 'transfer-and-call', 'allowance'],
    ),
    a1363(
      'approveAndCall(address spender, uint256 value, bytes data)',
      [BOB, 5n, '0x'],
      ['wallet', self('erc1363'), 5n, BOB, 'transfer-and-call', 'allowance'],
    ),
    opaque('erc1363', 'callback_data', 'approveAndCall(address spender, uint256 value, bytes data)', [BOB, 5n, '0x01']),
  ];
}

export function itemExamples(): RouteExample[] {
  const [nft, multi] = [of('erc721'), of('erc1155')];
  const item = `erc721:${contractOf('erc721')}`;
  const items = `erc1155:${contractOf('erc1155')}`;
  const moved: Flow = ['wallet', item, 1n, BOB, 'transfer-from'];
  const batch = 'safeBatchTransferFrom(address from, address to, uint256[] ids, uint256[] amounts, bytes data)';
  return [
    nft('transferFrom(address from, address to, uint256 tokenId)', [WALLET, BOB, 7n], moved),
    nft('safeTransferFrom(address from, address to, uint256 tokenId)', [WALLET, BOB, 7n], moved),
    nft('safeTransferFrom(address from, address to, uint256 tokenId, bytes data)', [WALLET, BOB, 7n, '0x'], moved),
    opaque('erc721', 'callback_data', 'safeTransferFrom(address from, address to, uint256 tokenId, bytes data)', [
      WALLET,
      BOB,
      7n,
      '0x01',
    ]),
    nft('approve(address to, uint256 tokenId)', [BOB, 7n], ['wallet', item, 1n, BOB, 'approve', 'allowance']),
    nft('approve(address to, uint256 tokenId)', [ZERO, 7n], ['wallet', item, 0n, ZERO, 'approve', 'allowance']),
    nft(
      'setApprovalForAll(address operator, bool approved)',
      [BOB, true],
      ['wallet', item, 'unlimited', BOB, 'approval-for-all', 'allowance'],
    ),
    nft(
      'setApprovalForAll(address operator, bool approved)',
      [BOB, false],
      ['wallet', item, 0n, BOB, 'approval-for-all', 'allowance'],
    ),
    multi(
      'safeTransferFrom(address from, address to, uint256 id, uint256 amount, bytes data)',
      [WALLET, BOB, 7n, 5n, '0x'],
      ['wallet', `${items}/7`, 5n, BOB, 'transfer-from'],
    ),
    multi(
      batch,
      [ALICE, BOB, [7n, 8n], [5n, 6n], '0x'],
      [ALICE, `${items}/7`, 5n, BOB, 'transfer-from'],
      [ALICE, `${items}/8`, 6n, BOB, 'transfer-from'],
    ),
    opaque('erc1155', 'malformed_batch', batch, [ALICE, BOB, [7n, 8n], [5n], '0x']),
    opaque('erc1155', 'callback_data', batch, [ALICE, BOB, [7n], [5n], '0x01']),
    multi(
      'setApprovalForAll(address operator, bool approved)',
      [BOB, true],
      ['wallet', items, 'unlimited', BOB, 'approval-for-all', 'allowance'],
    ),
  ];
}
