// Trees of real elements, and one function that makes the page look like a new tree without losing focus, selection,
// scroll positions or drawn charts. Events are handled once, at the document (actions.js), so nothing needs rewiring.

const SVG = new Set(["svg", "path", "line", "rect", "circle", "polyline", "polygon", "g", "text", "title"]);

/** An element; null, false and undefined leave an attribute or a child out. Never sets inline styles: the page's
 *  policy forbids them.
 *  @param {string} tag
 *  @param {Record<string, any>} [attributes]
 *  @param {...any} children
 *  @returns {any} */
export function h(tag, attributes, ...children) {
  const node = SVG.has(tag) ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {}))
    if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  node.append(
    ...children
      .flat(Infinity)
      .filter((child) => child !== null && child !== undefined && child !== false && child !== ""),
  );
  return node;
}

/** Text that only screen readers read. */
export const unseen = (text) => h("span", { class: "unseen" }, text);

/** Makes the children of `parent` look like `wanted`. Elements with the same data-key are the same element; the
 *  content of [data-drawn] belongs to a chart and stays.
 *  @param {any} parent
 *  @param {Iterable<any>} wanted */
export function patch(parent, wanted) {
  const keyed = new Map();
  for (const child of parent.children) if (child.dataset.key) keyed.set(child.dataset.key, child);
  let old = parent.firstChild;
  for (const node of [...wanted]) {
    const key = node.dataset?.key;
    const same = key ? keyed.get(key) : isLike(old, node) ? old : null;
    if (!same) {
      parent.insertBefore(node, old);
      continue;
    }
    if (same === old) old = old.nextSibling;
    else parent.insertBefore(same, old);
    update(same, node);
  }
  while (old) {
    const next = old.nextSibling;
    old.remove();
    old = next;
  }
}

function isLike(old, node) {
  return old && old.nodeName === node.nodeName && !old.dataset?.key && old.id === node.id;
}

function update(old, node) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== node.data) old.data = node.data;
    return;
  }
  const own = old.dataset.drawn === undefined ? null : "open"; // what is drawn elsewhere also opens and closes there
  for (const { name } of [...old.attributes]) if (name !== own && !node.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of node.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  if (old.nodeName === "INPUT" && old !== document.activeElement) old.value = node.getAttribute("value") ?? "";
  if (old.dataset.drawn === undefined) patch(old, node.childNodes);
  if (old.nodeName === "SELECT") old.value = node.value;
}
