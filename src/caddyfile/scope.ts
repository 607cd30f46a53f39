/**
 * Turns a block of directives into steps: finds the rule of each, takes its matcher, sorts them as Caddy
 * does and makes what excludes each other exclusive. One scope a block; named matchers reach inwards.
 */
import {
  type Context,
  type Directive,
  type DirectiveRule,
  placeOf,
  shown,
  type Spot,
  type Token,
} from "./directive.ts";
import { grouped, type Item, matched } from "./grouping.ts";
import { expressionOr, isMatcher, readMatcher } from "./matcher.ts";
import { sorted } from "./order.ts";
import { environmentOnly, toOurs, type Translated } from "./placeholder.ts";
import { passOver, refuse, type Session, take, tellUnknown } from "./session.ts";
import { didYouMean } from "./suggest.ts";
import { merged, unwrapped, withoutUnreached } from "./tidy.ts";
import { readDuration, readInteger, readPattern, readSize, type Value } from "./values.ts";
import { type Comments, joinedComments, WrittenList, WrittenMap } from "./written.ts";

const INVOKE_DEPTH_MAX = 10;

/** What a block has from around it. */
interface Around {
  readonly matchers?: ReadonlyMap<string, Directive>;
  /** Named routes that are being read, against those that invoke themselves. */
  readonly open?: readonly string[];
}

export class Scope implements Context {
  readonly #session: Session;
  readonly #matchers: Map<string, Directive>;
  /** Matchers defined in this very block. */
  readonly #own = new Set<string>();
  readonly #open: readonly string[];

  constructor(session: Session, { matchers, open = [] }: Around = {}) {
    this.#session = session;
    this.#matchers = new Map(matchers);
    this.#open = open;
  }

  problem(at: Spot, where: string, message: string): void {
    this.#session.report.tell(at, where, message);
  }

  problems(): number {
    return this.#session.report.problems.length;
  }

  refuse(at: Spot, where: string): void {
    refuse(this.#session, at, where);
  }

  took(at: Token, where: string, setting?: string): void {
    take(this.#session, at, where, setting);
  }

  template(token: Token, where: string): string {
    return this.#known(
      toOurs(token.text, where),
      token,
      where,
    );
  }

  plain(token: Token, where: string): string {
    return this.#known(environmentOnly(token.text), token, where);
  }

  #known({ text, unknown }: Translated, token: Token, where: string): string {
    for (const name of unknown) {
      const message = `Cannot take the placeholder "${
        shown(name)
      }" over here as it has no counterpart`;
      this.problem(token, where, message);
    }
    return text;
  }

  duration(token: Token, where: string): string | undefined {
    return this.#value(readDuration(token.text), token, where);
  }

  size(token: Token, where: string): string | undefined {
    return this.#value(readSize(token.text), token, where);
  }

  integer(token: Token, where: string): number | undefined {
    return this.#value(readInteger(token.text), token, where);
  }

  pattern(token: Token, where: string): string | undefined {
    return this.#value(readPattern(token.text), token, where);
  }

  #value<T>(value: Value<T>, token: Token, where: string): T | undefined {
    if (value.kind === "value") return value.value;
    this.problem(token, where, `Expected ${value.expected} but received "${shown(token.text)}"`);
    return undefined;
  }

  steps(block: readonly Directive[], where: string): WrittenList {
    return this.#inner().#list(block, where, true);
  }

  sequence(block: readonly Directive[], where: string): WrittenList {
    return this.#inner().#list(block, where, false);
  }

  invoked(token: Token, where: string): WrittenList | undefined {
    const { text } = token;
    const route = this.#session.routes.get(text);
    if (route === undefined) {
      const hint = didYouMean(text, this.#session.routes.keys());
      this.problem(token, where, `Expected a named route but received "${shown(text)}"${hint}`);
      return undefined;
    }
    if (this.#open.includes(text) || this.#open.length >= INVOKE_DEPTH_MAX) {
      this.problem(
        token,
        where,
        `Expected a route that does not invoke itself but received "${text}"`,
      );
      return undefined;
    }
    const scope = new Scope(this.#session, { open: [...this.#open, text] });
    return scope.#list(route.block ?? [], where, true);
  }

  #inner(): Scope {
    return new Scope(this.#session, { matchers: this.#matchers, open: this.#open });
  }

  #list(block: readonly Directive[], where: string, isSorted: boolean): WrittenList {
    for (const line of block) if (isMatcher(line)) this.#define(line);
    const items = block
      .filter((line) => !isMatcher(line))
      .map((line) => this.#item(line))
      .filter((item) => item !== undefined);
    const [first] = block;
    const at = first === undefined
      ? { file: "", line: 1, column: 1, where }
      : placeOf(first.name, where);
    const list = new WrittenList(at);
    const steps = isSorted
      ? grouped(sorted(items, this.#session.order))
      : items.flatMap((item) => item.steps);
    list.items.push(...steps);
    for (const { at: place } of withoutUnreached(merged(list))) passOver(this.#session, place);
    return list;
  }

  #item(directive: Directive): Item | undefined {
    const { name } = directive;
    const rule = Object.hasOwn(this.#session.directives, name.text)
      ? this.#session.directives[name.text]
      : undefined;
    if (rule === undefined) {
      tellUnknown(this.#session, name);
      return undefined;
    }
    const { match, own } = this.#withoutMatcher(directive, rule);
    if (match === "refused") return undefined;
    const steps = rule.translate(own, this);
    if (steps.length === 0) return undefined;
    const whole = matched(steps, match);
    const [first] = whole;
    const [key] = first?.entries.keys() ?? [];
    const comments = joinedComments([...this.#commentsOf(directive), directive.comments]);
    if (key !== undefined) first?.comment(key, comments);
    const node = first?.get("match");
    return {
      directive,
      name: name.text,
      match: node?.kind === "map" ? node : undefined,
      steps: whole,
    };
  }

  /** Those of the matcher that a directive names, where it is the first to do so. */
  #commentsOf({ args: [first] }: Directive): readonly Comments[] {
    const matcher = first === undefined ? undefined : this.#matchers.get(first.text);
    if (matcher === undefined || this.#session.commented.has(matcher)) return [];
    this.#session.commented.add(matcher);
    return [matcher.comments, ...(matcher.block ?? []).map(({ comments }) => comments)];
  }

  /** Takes `*`, `/path` or `@name` off the arguments. */
  #withoutMatcher(
    directive: Directive,
    rule: DirectiveRule,
  ): { match: WrittenMap | undefined | "refused"; own: Directive } {
    const [first, ...rest] = directive.args;
    const isOnlyUri = directive.name.text === "rewrite" && rest.length === 0;
    if (!rule.takesMatcher || first === undefined || isOnlyUri) {
      return { match: undefined, own: directive };
    }
    const own = { ...directive, args: rest };
    if (first.text === "*") return { match: undefined, own };
    if (first.text.startsWith("/")) {
      const at = placeOf(first, "matcher.path");
      return { match: new WrittenMap(at).set("path", this.plain(first, "matcher.path"), at), own };
    }
    if (!first.text.startsWith("@")) return { match: undefined, own: directive };
    return { match: this.namedMatcher(first, directive.name.text) ?? "refused", own };
  }

  #define(line: Directive): void {
    const { name, args, block } = line;
    if (this.#own.has(name.text)) {
      this.problem(name, "", `Expected each matcher once but received "${shown(name.text)}" again`);
    }
    if (args.length === 0 && block === undefined) {
      this.problem(name, "", "Expected what the matcher matches but received nothing");
    }
    this.#own.add(name.text);
    this.#matchers.set(name.text, line);
  }

  matcher(block: readonly Directive[], where: string): WrittenMap | undefined {
    const [first] = block;
    if (first === undefined) return undefined;
    const at = placeOf(first.name, where);
    return unwrapped(readMatcher(block, at, { context: this, groupName: undefined }));
  }

  namedMatcher(token: Token, where: string): WrittenMap | undefined {
    const line = this.#matchers.get(token.text);
    if (line === undefined) {
      const hint = didYouMean(token.text, this.#matchers.keys());
      this.problem(
        token,
        where,
        `Expected a matcher defined here but received "${shown(token.text)}"${hint}`,
      );
      return undefined;
    }
    const { name, args: [kind, ...args], block, comments } = line;
    const bare = name.text.slice(1);
    const groupName = this.#session.groupNames.has(bare) ? bare : undefined;
    const lines = kind === undefined
      ? block ?? []
      : [expressionOr(kind, args, { block, comments })];
    return unwrapped(readMatcher(lines, placeOf(name, "matcher"), { context: this, groupName }));
  }
}
