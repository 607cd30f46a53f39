/**
 * Resolves what a Caddyfile is put together from: snippets, and files that it imports. What comes out
 * has neither; each word keeps the place where it was written. Bounded in depth and size.
 */
import { type Directive, placeOf, shown, type Token } from "./directive.ts";
import { substitute } from "./arguments.ts";
import { directoryOf, findFiles, joinPath } from "./files.ts";
import { lex } from "./lexer.ts";
import { parse, type Parsed } from "./parser.ts";
import type { Report } from "./report.ts";
import { type Comments, joinedComments } from "./written.ts";

/** What a Caddyfile is read with. */
export interface CaddyfileSources {
  /** What problems call the file; imports are looked for beside it. */
  readonly path: string;
  env(name: string): string | undefined;
  /** Text of a file; rejects with an error in words. */
  readText(path: string): Promise<string>;
  /** Names in a directory; rejects with an error in words. */
  listDirectory(path: string): Promise<readonly string[]>;
}

const IMPORT_DEPTH_MAX = 20;
/** Snippets that import each other grow like powers of two. */
const LINES_MAX = 20_000;

/** Where an expansion is: what is open above it, and what its imports were given. */
interface Scope {
  readonly open: readonly string[];
  readonly args: readonly Token[] | undefined;
  readonly block: readonly Directive[];
  /** Only at the top of a file can snippets be defined. */
  readonly isTop: boolean;
}

export class Expander {
  /** Every file that was read, itself first; for whoever follows changes. */
  readonly files: string[] = [];
  readonly #sources: CaddyfileSources;
  readonly #report: Report;
  readonly #snippets = new Map<string, Directive>();
  readonly #commented = new Set<Directive>();
  #lines = 0;

  constructor(sources: CaddyfileSources, report: Report) {
    this.#sources = sources;
    this.#report = report;
  }

  async file(text: string): Promise<Parsed> {
    const { path } = this.#sources;
    const parsed = this.#parse(text, path);
    const scope: Scope = { open: [path], args: undefined, block: [], isTop: true };
    const lines = await this.#expand(parsed.lines, scope);
    if (this.#lines <= LINES_MAX) return { lines, rest: parsed.rest };
    // What was broken off in the middle is nobody's site; reading it would only take long.
    return { lines: lines.map((line) => ({ ...line, block: [] })), rest: parsed.rest };
  }

  #parse(text: string, file: string): Parsed {
    this.files.push(file);
    const env = (name: string): string | undefined => this.#sources.env(name);
    const options = { file, env, report: this.#report };
    return parse(lex(text, options), this.#report);
  }

  async #expand(lines: readonly Directive[], scope: Scope): Promise<Directive[]> {
    const expanded: Directive[] = [];
    for (const written of lines) {
      if (this.#isSpent(written)) break;
      const line = scope.args === undefined ? written : this.#filled(written, scope.args);
      if (line === undefined) continue;

      const { name } = line;
      if (name.quoted === undefined && name.text === "import") {
        const [first, ...others] = await this.#import(line, scope);
        if (first === undefined) continue;
        const comments = joinedComments([...this.#commentsOf(line), first.comments]);
        expanded.push({ ...first, comments }, ...others);
      } else if (name.text.startsWith("{blocks.") && scope.args !== undefined) {
        const message =
          "Cannot take this over as only a whole {block} can be handed to a snippet; " +
          "use {block}, or a snippet for each part";
        this.#report.tell(name, "import.blocks", message);
      } else if (name.text === "{block}" && scope.args !== undefined) {
        expanded.push(...scope.block);
      } else if (scope.isTop && /^\(.*\)$/.test(name.text)) {
        this.#define(line);
      } else {
        const inner = { ...scope, isTop: false };
        const block = line.block === undefined ? undefined : await this.#expand(line.block, inner);
        expanded.push({ ...line, block });
      }
    }
    return expanded;
  }

  /** The line with `{args[0]}` and its like filled in; undefined when nothing is left of it. */
  #filled(line: Directive, args: readonly Token[]): Directive | undefined {
    const tell = (token: Token, message: string): void =>
      this.#report.tell(token, "import", message);
    const [name, ...rest] = [line.name, ...line.args].flatMap((token) =>
      substitute(token, args, tell)
    );
    return name === undefined ? undefined : { ...line, name, args: rest };
  }

  #define(line: Directive): void {
    const { name, args, block } = line;
    const snippet = name.text.slice(1, -1);
    if (args.length > 0 || block === undefined) {
      this.#report.tell(name, "", `Expected a snippet such as "(name) {" in its own lines`);
    } else if (this.#snippets.has(snippet)) {
      this.#report.tell(
        name,
        "",
        `Expected each snippet once but received "${shown(snippet)}" again`,
      );
    } else {
      this.#snippets.set(snippet, line);
    }
  }

  /** Those of an import, and of the snippet where it is imported for the first time. */
  #commentsOf({ args: [what], comments }: Directive): readonly Comments[] {
    const snippet = what === undefined ? undefined : this.#snippets.get(what.text);
    if (snippet === undefined || this.#commented.has(snippet)) return [comments];
    this.#commented.add(snippet);
    return [snippet.comments, comments];
  }

  async #import({ name, args, block }: Directive, scope: Scope): Promise<readonly Directive[]> {
    const [what, ...given] = args;
    if (what === undefined) {
      this.#report.tell(name, "import", "Expected the name of a snippet or file but received none");
      return [];
    }
    const inner = {
      args: given,
      block: await this.#expand(block ?? [], { ...scope, isTop: false }),
    };
    const snippet = this.#snippets.get(what.text);
    if (snippet !== undefined) {
      const key = `(${what.text})`;
      if (!this.#mayOpen(key, what, scope)) return [];
      return await this.#expand(snippet.block ?? [], {
        ...scope,
        ...inner,
        open: [...scope.open, key],
      });
    }
    return await this.#importFiles(what, inner, scope);
  }

  async #importFiles(
    what: Token,
    inner: Pick<Scope, "args" | "block">,
    scope: Scope,
  ): Promise<readonly Directive[]> {
    const pattern = joinPath(directoryOf(what.file), what.text);
    const found = await findFiles(pattern, (path) => this.#sources.listDirectory(path));
    if (found.kind === "refused") {
      this.#report.tell(what, "import", found.reason);
      return [];
    }
    const lines: Directive[] = [];
    for (const path of found.paths) {
      if (!this.#mayOpen(path, what, scope)) continue;
      const text = await this.#text(path, what);
      if (text === undefined) continue;
      const parsed = this.#parse(text, path);
      lines.push(
        ...await this.#expand(parsed.lines, { ...scope, ...inner, open: [...scope.open, path] }),
      );
    }
    return lines;
  }

  async #text(path: string, what: Token): Promise<string | undefined> {
    try {
      return await this.#sources.readText(path);
    } catch (error) {
      const reason = error instanceof Error ? error.message : "it cannot be read";
      const message = `Expected a snippet or a file but received "${shown(what.text)}": ${reason}`;
      this.#report.tell(what, "import", message);
      return undefined;
    }
  }

  #mayOpen(key: string, what: Token, { open }: Scope): boolean {
    if (open.includes(key)) {
      const message = `Expected an import of something else but "${
        shown(what.text)
      }" imports itself`;
      this.#report.tell(what, "import", message);
      return false;
    }
    if (open.length <= IMPORT_DEPTH_MAX) return true;
    const message = `Expected at most ${IMPORT_DEPTH_MAX} imports within each other`;
    this.#report.tell(what, "import", message);
    return false;
  }

  #isSpent({ name }: Directive): boolean {
    this.#lines += 1;
    if (this.#lines === LINES_MAX + 1) {
      const message = `Expected at most ${LINES_MAX} lines, imports counted, but received more`;
      this.#report.tell(placeOf(name, ""), "", message);
    }
    return this.#lines > LINES_MAX;
  }
}
