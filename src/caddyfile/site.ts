/** Reads one site: its addresses, its body as steps and error steps, what it says of TLS. */
import { readAddress, type SiteAddress } from "./address.ts";
import { readSiteLog } from "./core_log.ts";
import { type Directive, placeOf, type Token } from "./directive.ts";
import { type Globals, readBind } from "./globals.ts";
import type { Site } from "./layout.ts";
import { isMatcher } from "./matcher.ts";
import { Scope } from "./scope.ts";
import type { Session } from "./session.ts";
import { servedAt, type Speech } from "./tls.ts";
import { readTls, type SiteTls } from "./tls_directive.ts";
import { type Comments, joinedComments, WrittenList, WrittenMap } from "./written.ts";

/** An address with its port, and what is spoken there. */
export interface Address extends SiteAddress {
  readonly port: number;
  readonly speech: Speech;
}

/** A site before it is known what the others listen on. */
export interface SiteDraft {
  /** Where it begins. */
  readonly token: Token;
  /** Whether it has none at all, as a file that is nothing but directives. */
  readonly isBare: boolean;
  readonly addresses: readonly Address[];
  /** Addresses of ours; empty for all. */
  readonly binds: readonly Token[];
  readonly steps: WrittenList;
  readonly errors: WrittenList;
  readonly tls: SiteTls | undefined;
  readonly comments: Comments;
}

export interface SiteScope {
  readonly session: Session;
  readonly globals: Globals;
  readonly root: WrittenMap;
}

/** Directives that are about the site as a whole. */
export const SITE_DIRECTIVES: readonly string[] = ["bind", "handle_errors", "log", "tls"];

export function readSite(site: Site, { session, globals, root }: SiteScope): SiteDraft {
  const scope = new Scope(session);
  const whole = site.body.filter(isWhole);
  const called = (name: string) => whole.filter((line) => line.name.text === name);
  const body = bodyOf(site, whole, { scope, session, root });
  const asksForTls = called("tls").length > 0;
  const addresses = site.addresses.flatMap((token) =>
    addressOf(token, { session, globals, asksForTls })
  );
  const own = called("bind");
  // Lines about the whole site have no place of their own but this.
  const homeless = whole.filter(({ name }) => name.text === "bind" || name.text === "log");
  return {
    ...body,
    token: site.token,
    isBare: site.addresses.length === 0,
    addresses,
    binds: own.length === 0 ? globals.binds : own.flatMap((line) => readBind(line, scope)),
    tls: tlsOf(called("tls"), scope, globals),
    comments: joinedComments([site.comments, ...homeless.map((line) => line.comments)]),
  };
}

interface Body {
  readonly steps: WrittenList;
  readonly errors: WrittenList;
}

function isWhole({ name: { text, quoted } }: Directive): boolean {
  return quoted === undefined && SITE_DIRECTIVES.includes(text);
}

function bodyOf(
  site: Site,
  whole: readonly Directive[],
  { scope, session, root }: { scope: Scope; session: Session; root: WrittenMap },
): Body {
  const steps = scope.steps(site.body.filter((line) => !isWhole(line)), "");
  const errors = new WrittenList(placeOf(site.token, "handle_errors"));
  const matchers = site.body.filter(isMatcher);
  const inErrors = new Scope(session);
  for (const line of whole) {
    if (line.name.text === "handle_errors") readErrors(line, matchers, { scope: inErrors, errors });
    if (line.name.text !== "log") continue;
    const unlogged = readSiteLog(line, root, scope);
    if (unlogged !== undefined) steps.items.unshift(unlogged);
  }
  return { steps, errors };
}

function readErrors(
  line: Directive,
  matchers: readonly Directive[],
  { scope, errors }: { scope: Scope; errors: WrittenList },
): void {
  const where = "handle_errors";
  const { name, args, block = [] } = line;
  const at = placeOf(name, where);
  const rule = new WrittenMap(at);
  for (const arg of args) {
    if (/^[1-9](?:\d\d|xx)$/.test(arg.text)) {
      const status = arg.text.endsWith("xx") ? arg.text : Number(arg.text);
      rule.list("status", at).add(status, placeOf(arg, where));
      continue;
    }
    scope.problem(arg, where, `Expected a status such as 404 or "5xx" but received "${arg.text}"`);
  }
  const own = new Set(block.filter(isMatcher).map((matcher) => matcher.name.text));
  const inherited = matchers.filter((matcher) => !own.has(matcher.name.text));
  rule.set("steps", scope.steps([...inherited, ...block], where), at);
  const [key = "steps"] = rule.entries.keys();
  errors.add(rule.comment(key, line.comments), at);
  scope.took(name, where);
}

/** Caddy makes a set of rules of each line, of which the first for a name holds. */
function tlsOf(
  [line, again]: readonly Directive[],
  scope: Scope,
  { tls: { usualDns } }: Globals,
): SiteTls | undefined {
  if (again !== undefined) scope.refuse(again.name, "tls.again");
  return line && readTls(line, { scope, usualDns });
}

function addressOf(
  token: Token,
  { session, globals, asksForTls }: Pick<SiteScope, "session" | "globals"> & {
    readonly asksForTls: boolean;
  },
): Address[] {
  const read = readAddress(token);
  if (read.kind === "wrong") {
    session.report.tell(token, "", read.message);
    return [];
  }
  const served = servedAt(read.address, globals, asksForTls);
  if (served.kind === "served") {
    return [{ ...read.address, port: served.port, speech: served.speech }];
  }
  session.report.tell(token, "", served.message);
  return [];
}
