import { journalStoreContract } from '@keepwatch/testkit';
import { createMemoryStore } from './memory-store.ts';

journalStoreContract('the memory store', () => ({ store: createMemoryStore() }), { durable: false });
