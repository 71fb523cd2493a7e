/**
 * cli: the `keepwatch` command. It starts the vault daemon, speaks to it as an operator or client through the SDK, and
 * tells the story of both (`npm start`). It decides nothing: what is allowed, the vault says. Others run the command;
 * nothing imports this package.
 */
export {};
