import { statfsSync } from 'node:fs';
import type { MethodResult } from '@keepwatch/protocol';
import type { JailReport } from '../jail/jail.ts';
import { lockedBytes } from '../secure/index.ts';
import type { VaultContext } from '../vault/context.ts';
import { mirrorsState } from '../vault/boot-state.ts';

type Finding = MethodResult<'doctor.report'>['findings'][number];

const MIB = 1 << 20;

/** What protects this process and what does not, for an operator to read. */
export function examine(vault: VaultContext, jail: JailReport, counts: { unjournaledDenials: number }): Finding[] {
  const findings: Finding[] = jail.belts.map((belt) => ({
    check: `belt: ${belt.name.replaceAll('_', ' ')}`,
    state: belt.holds ? 'good' : 'bad',
    words: belt.holds ? 'holds' : 'does not hold',
    remedy: belt.holds ? null : belt.remedy,
  }));
  findings.push(users(jail), memory(vault), disk(vault), clock(vault), zones(vault), signing(vault));
  if (!mirrorsState(vault)) {
    findings.push({
      check: 'boot table',
      state: 'warning',
      words: 'what the sealed vault believes of its peers is not what the journal says',
      remedy: 'Seal and unseal the vault; the journal is followed.',
    });
  }
  if (counts.unjournaledDenials > 0) {
    findings.push({
      check: 'denials',
      state: 'warning',
      words: `${counts.unjournaledDenials} denials were answered without a journal entry, because one client asked too fast`,
      remedy: 'Look which client is denied so often.',
    });
  }
  return findings;
}

function users({ sameUserAsGate }: JailReport): Finding {
  return {
    check: 'users',
    state: sameUserAsGate === false ? 'good' : 'warning',
    words:
      sameUserAsGate === false
        ? 'keep and gate run as two users: native code in gate cannot read keep’s memory'
        : sameUserAsGate === true
          ? 'keep and gate run as one user: the split stops bad dependencies and logic errors, not native code'
          : 'it is unknown whether gate runs as another user',
    remedy:
      sameUserAsGate === false ? null : 'Use the systemd units, or start as root with --keep-user and --gate-user.',
  };
}

function memory({ deps }: VaultContext): Finding {
  const stats = [deps.memory.stats(), deps.ringMemory.stats()];
  const wanted = stats.reduce((sum, { allocatedBytes }) => sum + allocatedBytes, 0);
  const locked = lockedBytes();
  const good = locked !== undefined && locked >= wanted;
  return {
    check: 'locked memory',
    state: good ? 'good' : 'bad',
    words: `${(wanted / MIB).toFixed(1)} MiB hold secrets, ${locked === undefined ? 'unknown how much' : `${(locked / MIB).toFixed(1)} MiB`} locked`,
    remedy: good ? null : 'Raise `ulimit -l`, give CAP_IPC_LOCK, or set LimitMEMLOCK in the unit.',
  };
}

function disk({ deps }: VaultContext): Finding {
  const { bavail, bsize } = statfsSync(deps.dataDir);
  const low = deps.reserve.low();
  return {
    check: 'disk',
    state: low ? 'bad' : 'good',
    words: `${Math.floor((bavail * bsize) / MIB)} MiB free where the journal lies`,
    remedy: low ? 'Free space: until then only sealing and revoking are journaled.' : null,
  };
}

function clock({ unsealed }: VaultContext): Finding {
  const frozen = unsealed?.state.clockFrozen ?? null;
  return {
    check: 'clock',
    state: frozen ? 'bad' : 'good',
    words: frozen ? frozen.reason : 'wall and boot clock run together',
    remedy: frozen ? 'Check the clock, then run `keepwatch vault confirm-time`.' : null,
  };
}

/** It comes with Node: a change of the law on clocks is known from the update of Keepwatch on that has it. */
function zones({ deps }: VaultContext): Finding {
  return { check: 'time zones', state: 'good', words: `database of ${deps.zones.version}`, remedy: null };
}

function signing({ unsealed, boot }: VaultContext): Finding {
  const frozen = unsealed?.state.signingFrozen?.reason ?? boot.rollback?.words ?? null;
  return {
    check: 'signing',
    state: frozen ? 'bad' : 'good',
    words: frozen ?? 'not frozen',
    remedy: frozen ? 'Look into the reason, then say with `keepwatch vault resume` what stays in force.' : null,
  };
}
