/** Tells the parts of a Caddyfile apart: global options, named routes, sites with their addresses. */
import { type Directive, shown, type Token } from "./directive.ts";
import { spelled } from "./parser.ts";
import type { Report } from "./report.ts";
import type { Comments } from "./written.ts";

export interface Site {
  /** Where the site begins. */
  readonly token: Token;
  /** None for a file that is nothing but directives. */
  readonly addresses: readonly Token[];
  readonly body: readonly Directive[];
  readonly comments: Comments;
}

export interface Layout {
  readonly globals: Directive | undefined;
  /** `&(name)` by name. */
  readonly routes: ReadonlyMap<string, Directive>;
  readonly sites: readonly Site[];
}

export function layoutOf(
  lines: readonly Directive[],
  { report, isDirective }: { report: Report; isDirective: (name: string) => boolean },
): Layout {
  const routes = new Map<string, Directive>();
  const rest: Directive[] = [];
  let globals: Directive | undefined;
  for (const [at, line] of lines.entries()) {
    const { name } = line;
    if (name.text === "" && name.quoted === undefined) {
      if (at === 0) globals = line;
      else {report.tell(
          name,
          "",
          "Expected global options before everything else, and an address here",
        );}
    } else if (/^&\(.+\)$/.test(name.text)) {
      routes.set(name.text.slice(2, -1), line);
    } else {
      rest.push(line);
    }
  }
  const isBody = ({ name: { text, quoted } }: Directive): boolean =>
    quoted === undefined && (text.startsWith("@") || isDirective(text));
  return { globals, routes, sites: sitesOf(rest, isBody, report) };
}

function sitesOf(
  lines: readonly Directive[],
  isBody: (line: Directive) => boolean,
  report: Report,
): readonly Site[] {
  const [first, ...others] = lines;
  if (first === undefined) return [];
  const { name, comments } = first;
  // Caddy itself refuses a file without any address; taken for one site it is what one meant.
  if (isBody(first)) {
    return [{
      token: name,
      addresses: [],
      body: lines,
      comments: { above: [], beside: undefined },
    }];
  }
  // One site alone needs no braces.
  if (first.block === undefined) {
    return [{ token: name, addresses: [name, ...first.args], body: others, comments }];
  }
  return lines.flatMap((line): Site[] => {
    if (line.block === undefined) {
      const message = isBody(line)
        ? `Expected the directive "${shown(line.name.text)}" within the braces of a site`
        : `Expected "{" behind the address "${spelled(line)}"`;
      report.tell(line.name, "", message);
      return [];
    }
    return [{
      token: line.name,
      addresses: [line.name, ...line.args],
      body: line.block,
      comments: line.comments,
    }];
  });
}
