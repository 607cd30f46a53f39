/** Names requests, so that a line of the log, an answer and a report of a user can be put together. */

/** Ids that are unique in a process and unlikely to meet another's: "k3f9x2-9", "k3f9x2-10"… */
export function ids(random: () => number): () => string {
  const start = Math.floor(random() * 36 ** 6).toString(36).padStart(6, "0");
  let count = 0;
  return () => `${start}-${++count}`;
}
