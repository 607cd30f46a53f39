/** Fills what an import was given into the words of what it imports: `{args[0]}`, `{args[1:]}`. Pure. */
import type { Token } from "./directive.ts";

const WHOLE = /^\{args\[(-?\d*):(-?\d*)\]\}$/;
const ONE = /\{args(?:\[(\d+)\]|\.(\d+)|\[([^\]}]*)\])\}/g;

/** The words that stand for one; `tell` hears of what is missing. */
export function substitute(
  token: Token,
  args: readonly Token[],
  tell: (token: Token, message: string) => void,
): readonly Token[] {
  const [range, from = "", to = ""] = WHOLE.exec(token.text) ?? [];
  if (range !== undefined) {
    const end = to === "" ? args.length : Number(to);
    return args.slice(Number(from), end).map((arg) => ({
      ...arg,
      quoted: arg.quoted ?? token.quoted,
    }));
  }

  const text = token.text.replace(ONE, (whole: string, index?: string, old?: string) => {
    const at = index ?? old;
    const arg = at === undefined ? undefined : args[Number(at)];
    if (arg !== undefined) return arg.text;
    const expected = at === undefined ? 'an index such as "{args[0]}"' : `an argument for ${whole}`;
    tell(token, `Expected ${expected} but received ${at === undefined ? whole : "none"}`);
    return "";
  });
  return [text === token.text ? token : { ...token, text }];
}
