/** The few calls to the C library that Node has no words for, through `node:ffi`. All are made before the jail closes. */
export interface Libc {
  /** No core files from this process, whoever asks: RLIMIT_CORE 0, soft and hard. `false` when the kernel refused. */
  forbidCoreFiles(): boolean;
  /** PR_SET_DUMPABLE 0 (prctl(2)): no core dump, and no other process of this user may read the memory or attach. */
  forbidDumps(): boolean;
  /** PR_SET_NO_NEW_PRIVS: nothing that this process starts, now or ever, gains rights by set-user-id. */
  forbidNewPrivileges(): boolean;
  /** The user id at the other end of a connected Unix socket when it was connected (SO_PEERCRED, unix(7)). */
  peerUser(fd: number): number | undefined;
}

const RLIMIT_CORE = 4;
const PR_GET_DUMPABLE = 3;
const PR_SET_DUMPABLE = 4;
const PR_SET_NO_NEW_PRIVS = 38;
const PR_GET_NO_NEW_PRIVS = 39;
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;

/**
 * `undefined` where `node:ffi` is missing or not allowed. The numbers above are Linux's on x86-64 and arm64; elsewhere
 * only the core limit is known, and the rest answers `false`.
 */
export function openLibc(): Libc | undefined {
  const ffi = process.getBuiltinModule('node:ffi');
  if (!ffi) return undefined;
  let library;
  try {
    library = new ffi.DynamicLibrary(null);
  } catch {
    return undefined;
  }
  const limit = { arguments: ['i32', 'buffer'], return: 'i32' } as const;
  const setrlimit = library.getFunction('setrlimit', limit);
  const getrlimit = library.getFunction('getrlimit', limit);

  function forbidCoreFiles(): boolean {
    // struct rlimit: two 64-bit words, soft and hard. All ones in the answer would mean "unlimited".
    setrlimit(RLIMIT_CORE, Buffer.alloc(16));
    const answer = Buffer.alloc(16, 0xff);
    return getrlimit(RLIMIT_CORE, answer) === 0 && answer.equals(Buffer.alloc(16));
  }

  if (process.platform !== 'linux') {
    const never = () => false;
    return { forbidCoreFiles, forbidDumps: never, forbidNewPrivileges: never, peerUser: () => undefined };
  }
  const prctl = library.getFunction('prctl', { arguments: ['i32', 'u64', 'u64', 'u64', 'u64'], return: 'i32' });
  const ask = (option: number, value: bigint) => prctl(option, value, 0n, 0n, 0n);
  const getsockopt = library.getFunction('getsockopt', {
    arguments: ['i32', 'i32', 'i32', 'buffer', 'buffer'],
    return: 'i32',
  });
  return {
    forbidCoreFiles,
    forbidDumps() {
      ask(PR_SET_DUMPABLE, 0n);
      return ask(PR_GET_DUMPABLE, 0n) === 0;
    },
    forbidNewPrivileges() {
      ask(PR_SET_NO_NEW_PRIVS, 1n);
      return ask(PR_GET_NO_NEW_PRIVS, 0n) === 1;
    },
    peerUser(fd) {
      // struct ucred: pid, uid, gid, 32 bits each.
      const credentials = new Int32Array(3).fill(-1);
      const length = new Int32Array([12]);
      const done = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, bytesOf(credentials), bytesOf(length));
      return done === 0 && credentials[1]! >= 0 ? credentials[1] : undefined;
    },
  };
}

function bytesOf(words: Int32Array): Buffer {
  return Buffer.from(words.buffer, words.byteOffset, words.byteLength);
}
