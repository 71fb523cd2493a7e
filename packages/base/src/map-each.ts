/**
 * `items.map(make)` for what every request passes through. The keep runs with frozen intrinsics, under which the
 * language's own methods that make arrays look up the class of their result each time, and take twenty times as long as
 * this loop.
 */
export function mapEach<T, U>(items: readonly T[], make: (item: T, i: number) => U): U[] {
  const made: U[] = [];
  for (let i = 0; i < items.length; i++) made.push(make(items[i]!, i));
  return made;
}
