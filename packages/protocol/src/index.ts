/**
 * protocol: the contract between a vault and its peers. Methods with their schemas, error codes, the connection string
 * and the framing between gate and keep. It says what may be asked and answered; it neither opens a connection nor
 * decides anything.
 */
export * from './connection-string.ts';
export * from './command-values.ts';
export * from './commands.ts';
export * from './errors.ts';
export * from './grant-shapes.ts';
export * from './link.ts';
export * from './methods.ts';
export * from './quick-params.ts';
export * from './quick-results.ts';
export * from './replay-shapes.ts';
export * from './shapes.ts';
export * from './signing.ts';
