/**
 * Fills `${NAME}` and `${NAME:-default}` in a text from the environment; `$${` is a plain `${`. Pure.
 */

export interface Filled {
  readonly text: string;
  /** Names whose values went in; what is made of them must not be shown. */
  readonly names: readonly string[];
  /** What is wrong with it, in words. */
  readonly faults: readonly string[];
}

const REFERENCE = /\$\$\{|\$\{([^}]*)(\})?/g;
const NAME = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s;

export function fill(text: string, env: (name: string) => string | undefined): Filled {
  const names: string[] = [];
  const faults: string[] = [];
  const filled = text.replace(REFERENCE, (whole: string, inner = "", closed?: string) => {
    if (whole === "$${") return "${";
    const [, name, fallback] = NAME.exec(inner) ?? [];
    if (name === undefined || closed === undefined) {
      // Not the whole text: what follows an unclosed reference may be anything.
      const shown = JSON.stringify(whole.slice(0, 40));
      faults.push(`Expected "\${NAME}" or "\${NAME:-default}" but received ${shown}`);
      return whole;
    }

    const value = env(name);
    // As in a shell, `:-` also stands in for an empty value.
    if (fallback !== undefined && (value === undefined || value === "")) return fallback;
    if (value === undefined) {
      faults.push(`Expected the environment variable "${name}" to be set but received nothing`);
      return whole;
    }
    names.push(name);
    return value;
  });
  return { text: filled, names, faults };
}
