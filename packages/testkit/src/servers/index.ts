/**
 * Servers that index the chain by script, for tests: endpoints of ours that speak the documented protocols of Electrum and
 * Esplora over a real bitcoind, and lie where they are told to.
 */
export { startElectrumEndpoint, type ElectrumEndpoint } from './electrum-endpoint.ts';
export { startEsploraEndpoint, type EsploraEndpoint } from './esplora-endpoint.ts';
