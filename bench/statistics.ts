/** The middle value; of an even number the upper one. NaN of none. */
export const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

export const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** How much `y` grows with each unit of `x`, by least squares. */
export function slopeOf(points: readonly { x: number; y: number }[]): number {
  const [mx, my] = [mean(points.map(({ x }) => x)), mean(points.map(({ y }) => y))];
  const covariance = points.reduce((sum, { x, y }) => sum + (x - mx) * (y - my), 0);
  return covariance / points.reduce((sum, { x }) => sum + (x - mx) ** 2, 0);
}

/** To `digits` places, as a number. */
export const round = (value: number, digits = 0): number => Number(value.toFixed(digits));
