import { err, ok, type Keccak256, type Result } from '@keepwatch/base';
import { decodeParameters } from '../abi/decode.ts';
import { parseFunction } from '../abi/function.ts';
import type { AbiParameter } from '../abi/type.ts';
import type { NamedValue } from '../abi/value.ts';
import type { Address } from '../address.ts';
import {
  addressAt,
  amount160Of,
  boolAt,
  bytesAt,
  bytesOf,
  listAt,
  tupleAt,
  tuplesAt,
  uintAt,
  ZERO_ADDRESS,
} from './arguments.ts';
import {
  detailsOf,
  isFungible,
  PERMIT_BATCH,
  PERMIT_SINGLE,
  permitBatch,
  permitSingle,
  TRANSFER_DETAILS,
} from './permit2.ts';
import type { Call, Leak, OpaqueCode, Standard, TokenMove } from './route.ts';
import { endsOf, endsOfPacked, paid, proceeds, recipient02 } from './swaps.ts';

// Uniswap's Universal Router (github.com/Uniswap/universal-router, Commands.sol and Dispatcher.sol): a list of commands,
// one byte each, and the input of each. A command that is not here, or an input of another shape, makes the call opaque.

interface Command {
  readonly line: string;
  readonly leaks: (call: Call, args: readonly NamedValue[]) => readonly Leak[] | undefined;
}

/** The command's number; the highest bit lets it fail, and the two below it are of the number in no version so far. */
const NUMBER = 0x7f;

const asset = (token: Address) => (token === ZERO_ADDRESS ? 'native' : `erc20:${token}`);

function swap(
  call: Call,
  ends: { readonly first: Address; readonly last: Address } | undefined,
  amount: bigint,
  to: Address,
  payerIsUser: boolean,
): readonly Leak[] | undefined {
  if (!ends) return undefined;
  const payment = payerIsUser ? [paid(call, ends.first, amount)] : [];
  return [...payment, ...proceeds(call, `erc20:${ends.last}`, recipient02(call, to))];
}

/** Permit2 lends to the router what the sender has. */
function allowances(call: Call, moves: readonly TokenMove[]): readonly Leak[] | undefined {
  if (!moves.every(({ token }) => isFungible(call, token))) return undefined;
  return moves.map(({ from, token, amount, to, holds, untilMs, route }) => ({
    account: from,
    asset: `erc20:${token}`,
    amount,
    to,
    holds,
    untilMs,
    route,
  }));
}

const backwards = (ends: ReturnType<typeof endsOfPacked>) => ends && { first: ends.last, last: ends.first };
const addresses = (args: readonly NamedValue[], index: number) => endsOf(listAt(args, index) as readonly Address[]);
const V3 = 'bytes path, bool payerIsUser';
const V2 = 'address[] path, bool payerIsUser';
const IN = 'address recipient, uint256 amountIn, uint256 amountOutMin';
const OUT = 'address recipient, uint256 amountOut, uint256 amountInMax';

const COMMANDS: ReadonlyMap<number, Command> = new Map<number, Command>([
  [
    0x00,
    {
      line: `V3_SWAP_EXACT_IN(${IN}, ${V3})`,
      leaks: (call, args) =>
        swap(call, endsOfPacked(bytesAt(args, 3)), uintAt(args, 1), addressAt(args, 0), boolAt(args, 4)),
    },
  ],
  [
    0x01,
    {
      line: `V3_SWAP_EXACT_OUT(${OUT}, ${V3})`,
      leaks: (call, args) =>
        swap(call, backwards(endsOfPacked(bytesAt(args, 3))), uintAt(args, 2), addressAt(args, 0), boolAt(args, 4)),
    },
  ],
  [
    0x02,
    {
      line: 'PERMIT2_TRANSFER_FROM(address token, address recipient, uint160 amount)',
      leaks: (call, args) => {
        const [token, to] = [addressAt(args, 0), recipient02(call, addressAt(args, 1))];
        if (!isFungible(call, token)) return undefined;
        const amount = amount160Of(uintAt(args, 2));
        return [{ account: call.sender, asset: `erc20:${token}`, amount, to, route: 'permit2-transfer' }];
      },
    },
  ],
  [
    0x03,
    {
      line: `PERMIT2_PERMIT_BATCH(${PERMIT_BATCH} permit, bytes signature)`,
      leaks: (call, args) => allowances(call, permitBatch(tupleAt(args, 0), call.sender)),
    },
  ],
  [
    0x04,
    {
      line: 'SWEEP(address token, address recipient, uint256 amountMin)',
      leaks: (call, args) => proceeds(call, asset(addressAt(args, 0)), recipient02(call, addressAt(args, 1))),
    },
  ],
  [
    0x05,
    {
      line: 'TRANSFER(address token, address recipient, uint256 value)',
      leaks: (call, args) => proceeds(call, asset(addressAt(args, 0)), recipient02(call, addressAt(args, 1))),
    },
  ],
  [
    0x06,
    {
      line: 'PAY_PORTION(address token, address recipient, uint256 bips)',
      leaks: (call, args) => proceeds(call, asset(addressAt(args, 0)), recipient02(call, addressAt(args, 1))),
    },
  ],
  [
    0x08,
    {
      line: `V2_SWAP_EXACT_IN(${IN}, ${V2})`,
      leaks: (call, args) => swap(call, addresses(args, 3), uintAt(args, 1), addressAt(args, 0), boolAt(args, 4)),
    },
  ],
  [
    0x09,
    {
      line: `V2_SWAP_EXACT_OUT(${OUT}, ${V2})`,
      leaks: (call, args) => swap(call, addresses(args, 3), uintAt(args, 2), addressAt(args, 0), boolAt(args, 4)),
    },
  ],
  [
    0x0a,
    {
      line: `PERMIT2_PERMIT(${PERMIT_SINGLE} permit, bytes signature)`,
      leaks: (call, args) => allowances(call, permitSingle(tupleAt(args, 0), call.sender)),
    },
  ],
  [
    0x0b,
    { line: 'WRAP_ETH(address recipient, uint256 amount)', leaks: (call, args) => wrapping(call, addressAt(args, 0)) },
  ],
  [
    0x0c,
    {
      line: 'UNWRAP_WETH(address recipient, uint256 amountMin)',
      leaks: (call, args) => proceeds(call, 'native', recipient02(call, addressAt(args, 0))),
    },
  ],
  [
    0x0d,
    {
      line: `PERMIT2_TRANSFER_FROM_BATCH(${TRANSFER_DETAILS}[] transfers)`,
      leaks: (call, args) => allowances(call, tuplesAt(args, 0).map(detailsOf)),
    },
  ],
]);

/** Which token wraps ether here, the call does not say; what is wrapped is ether that came with it. */
function wrapping(call: Call, recipient: Address): readonly Leak[] {
  return proceeds(call, 'native', recipient02(call, recipient));
}

type Inputs = ReadonlyMap<number, readonly AbiParameter[]>;

function readCommands(call: Call, inputs: Inputs): Result<readonly Leak[], OpaqueCode> {
  const commands = bytesAt(call.args, 0);
  const data = listAt(call.args, 1);
  if (commands.length !== data.length || commands.length === 0) return err('malformed_batch');
  const leaks: Leak[] = [];
  for (let i = 0; i < commands.length; i++) {
    const number = commands[i]! & NUMBER;
    const command = COMMANDS.get(number);
    const parameters = inputs.get(number);
    if (!command || !parameters) return err('unknown_command');
    const args = decodeParameters(parameters, bytesOf(data[i]));
    if (!args.ok) return args;
    const found = command.leaks(call, args.value);
    if (!found) return err('malformed_command');
    leaks.push(...found);
  }
  return ok(leaks);
}

export function createUniversalRouter(keccak: Keccak256): Standard {
  const inputs = new Map<number, readonly AbiParameter[]>();
  for (const [number, { line }] of COMMANDS) {
    const parsed = parseFunction(line, keccak);
    if (!parsed.ok) throw new TypeError(`${parsed.error}: ${line}`);
    inputs.set(number, parsed.value.inputs);
  }
  const execute = (line: string): Standard['calls'][number] => ({
    line,
    route: 'router',
    says: 'what each command takes: payments to the router, permits of Permit2, transfers; what comes out for others, unlimited',
    effect: (call) => {
      const leaks = readCommands(call, inputs);
      return leaks.ok
        ? { does: 'call', leaks: leaks.value, valueRoute: 'router' }
        : { does: 'opaque', why: leaks.error };
    },
  });
  return {
    name: 'uniswap-universal-router',
    title: 'Uniswap Universal Router',
    calls: [
      execute('execute(bytes commands, bytes[] inputs, uint256 deadline)'),
      execute('execute(bytes commands, bytes[] inputs)'),
    ],
  };
}
