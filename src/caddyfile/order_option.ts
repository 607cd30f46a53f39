/** The global option `order`: moves a directive within the order in which they run. */
import { shown } from "./directive.ts";
import { kindOf } from "./order.ts";
import { didYouMean } from "./suggest.ts";

/** Moves it; words for what is wrong with the arguments, undefined when they are right. */
export function reorder(order: string[], args: readonly string[]): string | undefined {
  const [name = "", where = "", other] = args;
  const moved = kindOf(name);
  const from = order.indexOf(moved);
  if (from < 0) {
    return `Expected a known directive but received "${shown(name)}"${didYouMean(name, order)}`;
  }
  const isEnd = where === "first" || where === "last";
  if (!isEnd && where !== "before" && where !== "after") {
    return `Expected first, last, before or after but received "${shown(where)}"`;
  }
  if (isEnd !== (other === undefined)) {
    return isEnd ? `Expected nothing behind "${where}"` : `Expected a directive behind "${where}"`;
  }
  const anchor = kindOf(other ?? "");
  if (!isEnd && (anchor === moved || !order.includes(anchor))) {
    return `Expected another known directive but received "${shown(other ?? "")}"`;
  }

  order.splice(from, 1);
  if (where === "first") order.unshift(moved);
  else if (where === "last") order.push(moved);
  else order.splice(order.indexOf(anchor) + (where === "after" ? 1 : 0), 0, moved);
  return undefined;
}
