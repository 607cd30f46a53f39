/** Notices whom new requests go to, pool by pool, and when that changes. Pure but for what it remembers. */

/** Who is chosen in a pool; the name is empty for nobody. */
export interface Choice {
  readonly poolId: string;
  readonly name: string;
}

export interface Moved {
  readonly poolId: string;
  readonly from: string;
  readonly to: string;
}

export class Choices {
  #known = new Map<string, string>();

  /** What is otherwise than when it was last asked. A pool that was not there before has not moved. */
  look(choices: readonly Choice[]): readonly Moved[] {
    const moved = choices.flatMap(({ poolId, name: to }): Moved[] => {
      const from = this.#known.get(poolId);
      return from === undefined || from === to ? [] : [{ poolId, from, to }];
    });
    this.#known = new Map(choices.map(({ poolId, name }) => [poolId, name]));
    return moved;
  }
}
