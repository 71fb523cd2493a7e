/**
 * keep: the trusted core of a vault. A process that holds the keys, authenticates every request by itself, decides by
 * grants, journals, and only then signs. Others run its process (`@keepwatch/keep/main`) and speak to it over the wire;
 * its code is imported by nobody.
 */
export {};
