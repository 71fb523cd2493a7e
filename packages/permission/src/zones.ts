/** What the engine knows of calendars comes from outside: a zone that is not known counts as a constraint that is not met. */
export type { Period, WallClock, Zones } from '@keepwatch/base';
