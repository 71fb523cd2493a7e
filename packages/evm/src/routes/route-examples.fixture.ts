import { batchExamples } from './batch-examples.fixture.ts';
import { lendingExamples, permit2Examples, vaultExamples } from './defi-examples.fixture.ts';
import { orderExamples } from './order-examples.fixture.ts';
import type { RouteExample } from './route-example.fixture.ts';
import { commandExamples, swapExamples } from './swap-examples.fixture.ts';
import { itemExamples, tokenExamples } from './token-examples.fixture.ts';

export const routeExamples: readonly RouteExample[] = [
  ...tokenExamples(),
  ...itemExamples(),
  ...permit2Examples(),
  ...vaultExamples(),
  ...lendingExamples(),
  ...batchExamples(),
  ...swapExamples(),
  ...commandExamples(),
  ...orderExamples(),
];
