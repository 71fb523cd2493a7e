/** One measured figure. Its line of JSON has exactly these members. */
export interface Figure {
  /** `subject/what`. */
  readonly name: string;
  /** The median of the repeats; times in ms. */
  readonly value: number;
  readonly unit: string;
  /** Value over the base figure of the same run, where there is one. */
  readonly ratio: number | null;
  /** What the ratio compares with, or what the value means, in words. */
  readonly against: string;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) throw new RangeError('the median of nothing');
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function printFigure(figure: Figure, asJson: boolean): void {
  const { name, value, unit, ratio, against } = figure;
  const rounded = { name, value: round(value), unit, ratio: ratio === null ? null : round(ratio), against };
  if (asJson) return console.log(JSON.stringify(rounded));
  const shownRatio = rounded.ratio === null ? '' : rounded.ratio.toFixed(2);
  console.log(
    `${name.padEnd(24)} ${String(rounded.value).padStart(12)} ${unit.padEnd(12)} ${shownRatio.padStart(6)}  ${against}`,
  );
}

function round(value: number): number {
  return Number(value.toPrecision(value >= 1_000 ? 6 : 4));
}
