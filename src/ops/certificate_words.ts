/** Words for certificates that several places have in common. Pure. */

/** So many of its names, and how many more there are. */
export function joinedNames(names: readonly string[], most: number): string {
  if (names.length === 0) return "no name";
  const more = names.length - most;
  return names.slice(0, most).join(", ") + (more > 0 ? ` and ${more} more` : "");
}
