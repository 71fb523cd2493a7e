/**
 * monitor: the daemon that joins chain sources, the watch, the journal and the channels. It decides nothing itself.
 */
export {};
