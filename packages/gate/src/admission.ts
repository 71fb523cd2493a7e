/**
 * Who may hold a TCP connection. Known peers (those that the keep authenticated) are never put out. Strangers are let in
 * as long as there is room, and when there is none the newcomer's place is taken from the oldest stranger, so that a
 * crowd that only occupies places (half-open connections, slow handshakes) cannot lock a good client out.
 *
 * Strangers stand in two crowds, those before and those after their TLS handshake, and the larger crowd pays: a flood of
 * half-open connections then never touches a client in the middle of its session handshake, and a slow crowd behind TLS
 * never starves newcomers.
 */
export interface Admission<Entry> {
  /**
   * Lets `entry` in from `address`, naming the stranger that must go for it, or refuses, when its address or the whole
   * table is full of known peers.
   */
  admit(entry: Entry, address: string): { readonly admitted: boolean; readonly evicted: readonly Entry[] };
  /** The entry has finished its TLS handshake. */
  shookHands(entry: Entry): void;
  /** The keep knows the entry: it is no stranger any more. */
  known(entry: Entry): void;
  leave(entry: Entry): void;
  /** Connections altogether. */
  size(): number;
  strangers(): Iterable<Entry>;
}

interface Crowds<Entry> {
  /** Insertion order is age. */
  readonly halfOpen: Set<Entry>;
  readonly shaken: Set<Entry>;
  count: number;
}

export function createAdmission<Entry>(limits: {
  connections: number;
  connectionsPerAddress: number;
}): Admission<Entry> {
  const all = newCrowds<Entry>();
  const byAddress = new Map<string, Crowds<Entry>>();
  const addressOf = new Map<Entry, string>();

  function crowdsOf(entry: Entry): readonly Crowds<Entry>[] {
    const address = addressOf.get(entry);
    const own = address === undefined ? undefined : byAddress.get(address);
    return own ? [all, own] : [];
  }

  function leave(entry: Entry): void {
    for (const crowds of crowdsOf(entry)) {
      crowds.halfOpen.delete(entry);
      crowds.shaken.delete(entry);
      crowds.count--;
    }
    const address = addressOf.get(entry);
    if (address !== undefined && byAddress.get(address)?.count === 0) byAddress.delete(address);
    addressOf.delete(entry);
  }

  function makeRoom(crowds: Crowds<Entry>, limit: number, evicted: Entry[]): boolean {
    if (crowds.count < limit) return true;
    const crowd = crowds.halfOpen.size >= crowds.shaken.size ? crowds.halfOpen : crowds.shaken;
    const oldest = crowd.values().next();
    if (oldest.done) return false;
    leave(oldest.value);
    evicted.push(oldest.value);
    return true;
  }

  function admit(entry: Entry, from: string): ReturnType<Admission<Entry>['admit']> {
    const address = addressGroup(from);
    const evicted: Entry[] = [];
    const own = byAddress.get(address);
    if (own && !makeRoom(own, limits.connectionsPerAddress, evicted)) return { admitted: false, evicted };
    if (!makeRoom(all, limits.connections, evicted)) return { admitted: false, evicted };
    const crowds = byAddress.get(address) ?? newCrowds<Entry>();
    byAddress.set(address, crowds);
    addressOf.set(entry, address);
    for (const place of [all, crowds]) {
      place.halfOpen.add(entry);
      place.count++;
    }
    return { admitted: true, evicted };
  }

  return {
    admit,
    leave,
    shookHands(entry) {
      for (const { halfOpen, shaken } of crowdsOf(entry)) if (halfOpen.delete(entry)) shaken.add(entry);
    },
    known(entry) {
      for (const { halfOpen, shaken } of crowdsOf(entry)) {
        halfOpen.delete(entry);
        shaken.delete(entry);
      }
    },
    size: () => all.count,
    *strangers() {
      yield* all.halfOpen;
      yield* all.shaken;
    },
  };
}

function newCrowds<Entry>(): Crowds<Entry> {
  return { halfOpen: new Set(), shaken: new Set(), count: 0 };
}

/** Who counts as one: an IPv4 address, or an IPv6 /64, which one subscriber fills at will. */
export function addressGroup(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped) return mapped[1]!;
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('%')[0]!.toLowerCase().split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - first.length - last.length;
  const groups = [...first, ...Array.from({ length: Math.max(0, zeros) }, () => '0'), ...last];
  return `${groups.slice(0, 4).join(':')}::/64`;
}

/** The network from which an address is, as far as one owner mostly reaches: an IPv4 /24, or an IPv6 /48. */
export function networkOf(address: string): string {
  if (isLoopback(address)) return 'loopback';
  const group = addressGroup(address);
  return group
    .split(/[:.]/)
    .slice(0, 3)
    .join(group.includes(':') ? ':' : '.');
}

/** Loopback as the kernel names it: 127/8, ::1, and the former mapped into the latter's family. */
export function isLoopback(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\./i.test(address);
}
