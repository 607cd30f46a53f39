/** Finds the upstream that an operator names. Pure. */

export interface Named {
  readonly id: string;
  readonly poolId: string;
  readonly name: string;
}

export type NamedResult<T extends Named> =
  | { readonly kind: "found"; readonly one: T }
  | { readonly kind: "unknown" }
  /** Several bear the name; the texts tell them apart. */
  | { readonly kind: "ambiguous"; readonly candidates: readonly string[] };

/** The text that names one upstream of all. */
export function fullName({ poolId, name }: Named): string {
  return `${poolId}|${name}`;
}

/** By name, or by pool and name. */
export function resolve<T extends Named>(text: string, all: readonly T[]): NamedResult<T> {
  const exact = all.find((one) => fullName(one) === text || one.id === text);
  if (exact !== undefined) return { kind: "found", one: exact };
  const [first, ...others] = all.filter(({ name }) => name === text);
  if (first === undefined) return { kind: "unknown" };
  if (others.length === 0) return { kind: "found", one: first };
  return { kind: "ambiguous", candidates: [first, ...others].map(fullName) };
}
