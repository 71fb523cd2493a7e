import { describe, expect, it } from 'vitest';
import { readDbusMonitor, readGdbus } from './sleep-watch.ts';

// The lines are what gdbus 2.74 and dbus-monitor 1.14 print.
describe('the readers of logind’s signals', () => {
  it('reads gdbus', () => {
    const read = readGdbus();
    const path = '/org/freedesktop/login1';
    const said = [
      `Monitoring signals on object ${path} owned by org.freedesktop.login1`,
      'The name org.freedesktop.login1 does not have an owner',
      'The name org.freedesktop.login1 is owned by :1.5',
      `${path}: org.freedesktop.login1.Manager.PrepareForSleep (true,)`,
      `${path}: org.freedesktop.login1.Manager.PrepareForSleep (false,)`,
      `${path}: org.freedesktop.login1.Manager.PrepareForShutdown (true,)`,
      `${path}/seat/seat0: org.freedesktop.login1.Manager.PrepareForSleep (true,)`,
      `${path}: org.freedesktop.login1.Manager.SessionNew ('PrepareForSleep (true,)', true)`,
    ].map(read);
    expect(said).toEqual([undefined, 'no_logind', 'watching', 'sleep', 'resume', undefined, undefined, undefined]);
  });

  it('reads dbus-monitor', () => {
    const read = readDbusMonitor();
    const signal = (member: string) =>
      `signal time=1.2 sender=:1.5 -> destination=(null destination) serial=3 path=/org/freedesktop/login1; interface=org.freedesktop.login1.Manager; member=${member}`;
    const said = [
      'signal time=1.1 sender=org.freedesktop.DBus -> destination=:1.0 serial=2 path=/org/freedesktop/DBus; interface=org.freedesktop.DBus; member=NameAcquired',
      '   string ":1.0"',
      signal('PrepareForSleep'),
      '   boolean true',
      '   boolean true',
      signal('PrepareForShutdown'),
      '   boolean true',
      signal('PrepareForSleep'),
      '   boolean false',
    ].map(read);
    expect(said.filter((each) => each !== undefined)).toEqual(['watching', 'sleep', 'resume']);
    expect(said[3]).toBe('sleep');
  });
});
