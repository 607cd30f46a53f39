/** What the translation of one Caddyfile shares: problems, what was taken over, named routes, the order. */
import {
  type Directive,
  type Directives,
  shown,
  type Spot,
  type Token,
  type Verdict,
} from "./directive.ts";
import type { Report } from "./report.ts";
import type { Place } from "./written.ts";
import { didYouMean } from "./suggest.ts";
import { supportOf } from "./support_table.ts";

/** Something of the Caddyfile that has a place in the configuration. */
export interface Taken extends Place {
  /** The setting of YAML; empty where none is needed. */
  readonly setting: string;
  readonly verdict: Verdict;
  readonly note: string;
}

export interface Session {
  readonly report: Report;
  readonly directives: Directives;
  readonly taken: Taken[];
  /** Directives, first to last. */
  readonly order: string[];
  /** `&(name)` by name. */
  readonly routes: Map<string, Directive>;
  /** Matchers whose comments stand where they are first used. */
  readonly commented: Set<Directive>;
  /** Names of matchers that some text refers to as `{re.name.1}`. */
  readonly groupNames: ReadonlySet<string>;
}

/** Notes that something was taken over, with what is known of it. */
export function take(session: Session, at: Token, where: string, setting?: string): void {
  const support = supportOf(where);
  session.taken.push({
    file: at.file,
    line: at.line,
    column: at.column,
    where,
    setting: setting ?? support?.setting ?? "",
    verdict: support?.verdict ?? "same",
    note: support?.note ?? "",
  });
}

/** Notes that a directive is left out, as another one before it answers every request. */
export function passOver({ taken }: Session, { file, line, column, where }: Place): void {
  const at = taken.findIndex((one) =>
    one.file === file && one.line === line && one.column === column && one.where === where
  );
  const note = "left out as it is never reached, in Caddy neither";
  taken.splice(at < 0 ? taken.length : at, 1, {
    ...{ file, line, column, where, note },
    setting: "",
    verdict: "same",
  });
}

/** Refuses something with the reason the table of support gives. */
export function refuse(session: Session, at: Spot, where: string): void {
  const { note = "there is nothing like it yet", nearest } = supportOf(where) ?? {};
  const use = nearest === undefined ? "" : `; use ${nearest}`;
  session.report.tell(at, where, `Cannot take this over as ${note}${use}`);
}

/** Tells of a directive without a rule: refused, out of place, or mistyped. */
export function tellUnknown(session: Session, name: Token): void {
  const { report, directives } = session;
  const support = supportOf(name.text);
  if (support?.verdict === "refused") return refuse(session, name, name.text);
  if (support !== undefined) {
    const message = "Expected this at the top of a site, not within another directive";
    return report.tell(name, name.text, message);
  }
  const hint = didYouMean(name.text, Object.keys(directives));
  report.tell(name, "", `Expected a known directive but received "${shown(name.text)}"${hint}`);
}
