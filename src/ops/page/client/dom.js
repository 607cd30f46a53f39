/**
 * Makes elements, and brings what is on the page to what should be there by changing as little as
 * possible: focus, open details and selected text stay. Markup never comes from text.
 *
 * @typedef {Node | string | number | false | null | undefined} Child
 * @typedef {Readonly<Record<string, string | number | boolean | undefined>>} Attributes
 */

const SVG = "http://www.w3.org/2000/svg";
const SVG_NAMES = new Set(["svg", "path", "rect", "circle", "line", "title", "g"]);
/** What belongs to whoever reads the page and not to the status. */
const READERS_OWN = new Set(["open", "value"]);

/**
 * `false` and `undefined` leave an attribute out.
 * @param {string} name
 * @param {Attributes} attributes
 * @param {...(Child | readonly Child[])} children
 * @returns {HTMLElement | SVGElement}
 */
export function h(name, attributes, ...children) {
  const element = SVG_NAMES.has(name)
    ? document.createElementNS(SVG, name)
    : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) {
      element.setAttribute(key, value === true ? "" : String(value));
    }
  }
  for (const child of children.flat()) {
    if (child === undefined || child === null || child === false || child === "") continue;
    element.append(child instanceof Node ? child : String(child));
  }
  return /** @type {HTMLElement | SVGElement} */ (element);
}

/**
 * A name for an element, of words that may hold spaces, which references between elements may not.
 * @param {string} kind
 * @param {string} id
 */
export function idOf(kind, id) {
  return `${kind}-${encodeURIComponent(id)}`;
}

/**
 * Makes `live` equal to `next`, which is used up.
 * @param {Node} live
 * @param {Node} next
 */
export function morph(live, next) {
  if (!(live instanceof Element) || !(next instanceof Element)) {
    if (live.nodeValue !== next.nodeValue) live.nodeValue = next.nodeValue;
    return;
  }
  for (const { name } of [...live.attributes]) {
    if (!next.hasAttribute(name) && !READERS_OWN.has(name)) live.removeAttribute(name);
  }
  for (const { name, value } of next.attributes) {
    if (live.getAttribute(name) !== value) live.setAttribute(name, value);
  }
  morphChildren(live, next);
}

/**
 * Children with a `data-key` keep their element wherever they move; others go by their place.
 * @param {Element} live
 * @param {Element} next
 */
function morphChildren(live, next) {
  const keyed = new Map([...live.children].flatMap((child) => {
    const key = keyOf(child);
    return key === undefined ? [] : [[key, child]];
  }));
  /** @type {ChildNode | null} */
  let at = live.firstChild;
  for (const child of [...next.childNodes]) {
    const key = keyOf(child);
    const match = key === undefined ? sameKind(at, child) : keyed.get(key);
    if (match === undefined) {
      live.insertBefore(child, at);
      continue;
    }
    if (match === at) at = at.nextSibling;
    else live.insertBefore(match, at);
    morph(match, child);
  }
  while (at !== null) {
    const gone = at;
    at = at.nextSibling;
    gone.remove();
  }
}

/**
 * @param {ChildNode | null} live
 * @param {Node} next
 */
function sameKind(live, next) {
  const same = live !== null && live.nodeName === next.nodeName && keyOf(live) === undefined;
  return same ? live : undefined;
}

/** @param {Node} node */
function keyOf(node) {
  return node instanceof HTMLElement ? node.dataset["key"] : undefined;
}
