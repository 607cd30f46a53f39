/**
 * Holds the house to its plan: who may import whom, that no imports go in circles, that only
 * `platform/` touches the world, and that files stay short enough to be read.
 */
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join, normalize } from "node:path/posix";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const SRC = fileURLToPath(new URL("../src", import.meta.url));
const LINES_MAX = 250;
/** A line near the top that owns up to a longer file: "Longer than 250 lines because …". */
const LENGTH_REASON = /longer than (?:250 lines|usual)/i;

const NOUNS = [
  "model.ts",
  "rules.ts",
  "tls_rules.ts",
  "steps.ts",
  "fields.ts",
  "end.ts",
  "deadlines.ts",
  "ip.ts",
  "address.ts",
  "names.ts",
  "reasons.ts",
  "source.ts",
];
const PORT = "platform/platform.ts";
const TLS_PORT = "platform/tls.ts";
/** For the number that `version` prints. */
const PACKAGE = "../package.json";

/** What a part may import besides its own folder. A trailing slash is a folder. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  "model.ts": ["rules.ts", "fields.ts", "end.ts", TLS_PORT],
  "end.ts": [],
  "roll.ts": [],
  "deadlines.ts": [PORT, "roll.ts"],
  "rules.ts": ["tls_rules.ts"],
  "tls_rules.ts": [],
  "steps.ts": ["rules.ts"],
  "fields.ts": [],
  "ip.ts": ["rules.ts"],
  "reasons.ts": ["rules.ts"],
  "source.ts": ["model.ts"],
  "address.ts": ["rules.ts"],
  "names.ts": ["ip.ts"],
  "platform/": [
    "model.ts",
    "end.ts",
    "rules.ts",
    "fields.ts",
    "address.ts",
    "node:",
    "bun:ffi",
    "bcryptjs",
  ],
  "config/": [...NOUNS, PORT, TLS_PORT, "valibot", "yaml"],
  "caddyfile/": [...NOUNS, "config/schema.ts"],
  "wire/": [...NOUNS, PORT, TLS_PORT],
  "web/": [...NOUNS, PORT, TLS_PORT, "hono"],
  "request/": [...NOUNS, PORT, "hono"],
  "health/": [...NOUNS, PORT],
  "dynamic/": [...NOUNS, PORT],
  "wake/": [...NOUNS, PORT],
  "models/": [...NOUNS, PORT],
  "tls/": [
    ...NOUNS,
    PORT,
    TLS_PORT,
    "watch.ts",
    "acme-client",
    "@peculiar/x509",
    "reflect-metadata",
  ],
  "ops/": [...NOUNS, TLS_PORT, "hono"],
  "demo/": [...NOUNS, PORT, "hono"],
  "app.ts": [
    ...NOUNS,
    PORT,
    TLS_PORT,
    "config/",
    "listeners.ts",
    "quic_listeners.ts",
    "dynamic/",
    "health/",
    "ops/",
    "request/",
    "wake/",
    "models/",
    "tls/",
  ],
  "listeners.ts": [...NOUNS, PORT, TLS_PORT, "ops/"],
  "quic_listeners.ts": [...NOUNS, PORT, TLS_PORT, "ops/"],
  "watch.ts": [PORT],
  "admin.ts": [...NOUNS, PORT, "ops/"],
  // For the error that tells why there is no root.
  "desk.ts": [...NOUNS, PORT, "app.ts", "ops/", "request/", "tls/issuer.ts"],
  "operate.ts": [...NOUNS, PORT, TLS_PORT, "admin.ts", "desk.ts", "ops/", "request/"],
  "cli/": [
    ...NOUNS,
    PORT,
    TLS_PORT,
    "app.ts",
    "desk.ts",
    "operate.ts",
    "caddyfile/",
    "config/",
    "watch.ts",
    "web/",
    "wire/",
    "demo/",
    "ops/",
    "tls/",
    // What `explain` shows is what the request path would do.
    "request/explain.ts",
    "yaml",
    "node:util",
    PACKAGE,
  ],
  "main.ts": ["app.ts", "config/", "cli/", "#platform", "#reexec"],
};

/** Ways to the world that only `platform/` may take, as they look in code. */
const WORLDLY: readonly (readonly [string, RegExp])[] = [
  ["Bun", /\bBun\./],
  ["Deno", /\bDeno\./],
  ["process", /(?<![.\w])process\./],
  ["Date.now", /\bDate\.now\b/],
  ["new Date() without argument", /\bnew Date(?:\(\s*\)|(?!\s*\())/],
  ["performance.now", /\bperformance\./],
  ["Math.random", /\bMath\.random\b/],
  ["crypto's chance", /\bcrypto\.(?:randomUUID|getRandomValues)\b/],
  ["raw timers", /(?<![.\w])(?:setTimeout|setInterval|setImmediate|queueMicrotask)\s*\(/],
  ["AbortSignal.timeout", /\bAbortSignal\.timeout\b/],
  ["console", /\bconsole\./],
  ["the global fetch", /(?<![.\w])fetch\s*\(/],
];

interface Source {
  /** Path under src. */
  readonly path: string;
  readonly text: string;
  /** Comments and the insides of strings blanked out. */
  readonly code: string;
  /** Modules it imports: a path under src, or a bare specifier. */
  readonly imports: readonly string[];
}

async function sources(): Promise<Source[]> {
  const names = await readdir(SRC, { recursive: true });
  const paths = names.filter((name) => name.endsWith(".ts")).sort();
  return await Promise.all(paths.map(async (path) => {
    const text = await readFile(join(SRC, path), "utf8");
    return { path, text, code: bared(text), imports: importsOf(path, text) };
  }));
}

function bared(text: string): string {
  const parts = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g;
  return text.replace(parts, (part) => part.replace(/[^\n]/g, " "));
}

function importsOf(path: string, text: string): string[] {
  const statement =
    /^(?:import|export)\b[^;"]*?\bfrom\s+"([^"]+)"|^import\s+"([^"]+)"|\bimport\("([^"]+)"\)/gm;
  return [...text.matchAll(statement)].map(([, fixed, bare, dynamic]) => {
    const name = fixed ?? bare ?? dynamic ?? "";
    return name.startsWith(".") ? normalize(join(dirname(path), name)) : name;
  });
}

/** The row of the table that a file belongs to. */
function partOf(path: string): string {
  const slash = path.indexOf("/");
  return slash < 0 ? path : path.slice(0, slash + 1);
}

function allowed(path: string, imported: string): boolean {
  const part = partOf(path);
  if (part.endsWith("/") && imported.startsWith(part)) return true;
  return (MAY_IMPORT[part] ?? []).some((one) =>
    one.endsWith("/") || one.endsWith(":") ? imported.startsWith(one) : imported === one
  );
}

/** A chain of imports that leads back to where it began. */
function circle(all: readonly Source[]): string[] | undefined {
  const imports = new Map(all.map((source) => [source.path, source.imports]));
  const clear = new Set<string>();
  const walk = (path: string, trail: readonly string[]): string[] | undefined => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (clear.has(path)) return undefined;
    for (const next of imports.get(path) ?? []) {
      const found = walk(next, [...trail, path]);
      if (found !== undefined) return found;
    }
    clear.add(path);
    return undefined;
  };
  for (const { path } of all) {
    const found = walk(path, []);
    if (found !== undefined) return found;
  }
  return undefined;
}

describe("src/", () => {
  it("imports only what the table allows", async () => {
    const strays = (await sources()).flatMap(({ path, imports }) =>
      imports.filter((name) => !allowed(path, name)).map((name) => `${path} imports ${name}`)
    );
    assert.deepEqual(strays, []);
  });

  it("has a row in the table for every part", async () => {
    const parts = new Set((await sources()).map(({ path }) => partOf(path)));
    assert.deepEqual([...parts].filter((part) => !(part in MAY_IMPORT)), []);
  });

  it("has no circles of imports", async () => {
    assert.equal(circle(await sources()), undefined);
  });

  it("touches the world only in platform/", async () => {
    const found = (await sources())
      .filter(({ path }) => partOf(path) !== "platform/")
      .flatMap(({ path, code }) =>
        WORLDLY.filter(([, pattern]) => pattern.test(code)).map(([what]) => `${path}: ${what}`)
      );
    assert.deepEqual(found, []);
  });

  it("takes the concrete platform in main.ts alone", async () => {
    const takers = (await sources()).filter(({ imports }) => imports.includes("#platform"));
    assert.deepEqual(takers.map(({ path }) => path), ["main.ts"]);
  });

  it("loads nothing of the program that would be loaded twice, before it begins anew", async () => {
    const before = (await sources()).filter(({ path }) => path.includes("reexec_"));
    assert.equal(before.length, 2);
    assert.deepEqual(before.flatMap(({ imports }) => imports), ["node:process"]);

    const main = await readFile(join(SRC, "main.ts"), "utf8");
    const atOnce = [...main.matchAll(/^import\b[^;"]*"([^"]+)"/gm)].map(([, name]) => name);
    assert.deepEqual(atOnce, ["#reexec"]);
  });

  it("keeps each file short, or says at its top why it is not", async () => {
    const long = (await sources()).filter(({ text }) => {
      const lines = text.split("\n");
      return lines.length - 1 > LINES_MAX && !LENGTH_REASON.test(lines.slice(0, 12).join(" "));
    });
    assert.deepEqual(long.map(({ path }) => path), []);
  });

  it("opens each file with its place in the story", async () => {
    const bare = (await sources()).filter(({ text }) => !/^(?:\/\/\/[^\n]*\n)*\/\*\*/.test(text));
    assert.deepEqual(bare.map(({ path }) => path), []);
  });
});
