/**
 * gate: the edge of the vault. Its process terminates TLS and WebSocket, holds peers to their limits, answers health and
 * metrics, and moves sealed frames that it can neither read nor forge to and from the keep over one connected socket
 * (`main.ts`). `supervise` starts keep and gate as two processes and joins them. The package decides nothing about
 * signing, holds no key but its TLS key, and imports none of the keep's code.
 */
export { supervise, type Supervisor, type SuperviseOptions, type SupervisorEvent } from './supervisor/supervise.ts';
export {
  startKeepProcess,
  type KeepProcess,
  type KeepProcessOptions,
  type ProcessEnd,
  type UserIds,
} from './supervisor/keep-process.ts';
export type { GateListening } from './supervisor/gate-process.ts';
export type { SleepEvent, SleepWatchOptions } from './supervisor/sleep-watch.ts';
export { createGate, type Gate, type GateDeps, type GateOptions, type ListenAddress } from './server.ts';
export { DEFAULT_LIMITS, type GateLimits } from './limits.ts';
export type { GateLog } from './log.ts';
