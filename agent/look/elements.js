// How is the page put together? Every text goes in as a text node: what a record says is never markup.

const SVG = "http://www.w3.org/2000/svg";
const SHAPES = new Set(["svg", "path", "line", "g", "circle", "rect", "text", "defs", "linearGradient", "stop"]);

/** An element: h("p.note", {title: "…", onclick: f}, "text", another, null). */
export function h(spec, given, ...children) {
  const [tag, ...classes] = spec.split(".");
  const element = SHAPES.has(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag);
  if (classes.length) element.setAttribute("class", classes.join(" "));
  const plain = given && Object.getPrototypeOf(given) === Object.prototype;
  for (const [name, value] of Object.entries(plain ? given : {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked" || name === "disabled") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  append(element, plain ? children : [given, ...children]);
  return element;
}

function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

/** Put these in place of everything in `element`. */
export function fill(element, ...children) {
  element.replaceChildren();
  append(element, children);
  return element;
}

/** The same, but what does not change stays: focus, selection, and what is being clicked. Only for
 *  content without listeners of its own, for those that stay are the old ones. */
export function refill(element, ...children) {
  const fresh = element.cloneNode(false);
  append(fresh, children);
  become(element, fresh);
}

function become(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (old.nodeName !== fresh.nodeName || old.childNodes.length !== fresh.childNodes.length || old.nodeType !== Node.ELEMENT_NODE) {
    if (old.parentNode && fresh.parentNode) old.replaceWith(fresh);
    else old.replaceChildren(...fresh.childNodes);
    return;
  }
  for (const {name} of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const {name, value} of fresh.attributes) {
    if (old.getAttribute(name) === value) continue;
    if (name === "style") old.style.cssText = value; // the page's policy lets no attribute be set for that
    else old.setAttribute(name, value);
  }
  const pairs = [...old.childNodes].map((child, i) => [child, fresh.childNodes[i]]);
  for (const [child, next] of pairs) become(child, next);
}

/** Change a text only where it differs, so that nothing flickers and selections stay. */
export function say(element, text) {
  if (element.textContent !== String(text)) element.textContent = String(text);
}

/** A button that copies what `text()` returns, and says so. */
export function copyButton(text, label = "Copy") {
  const button = h("button.quiet.small", {type: "button"}, label);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text());
      say(button, "Copied");
    } catch {
      say(button, copiedByHand(text()) ? "Copied" : "Select it and copy");
    }
    setTimeout(() => say(button, label), 1600);
  });
  return button;
}

function copiedByHand(text) { // where the page is not from localhost, browsers have no clipboard for it
  const area = h("textarea.aside", {value: text, readonly: true});
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}

/** What stands where there is nothing yet: what is missing, and what to do about it. */
export function empty(title, ...what) {
  return h("div.empty", h("h3", title), ...what);
}

/** A panel with a heading, and something at the heading's end. */
export function panel(title, end, ...content) {
  return h("section.panel", h("header", h("h2", title), h("div.end", end)), ...content);
}

/** A switch with its label; `change(on)` may be asynchronous. */
export function toggle(label, on, change) {
  const input = h("input.switch", {type: "checkbox", role: "switch", checked: on, "aria-label": label});
  input.addEventListener("change", () => change(input.checked));
  return input;
}

/** A table: columns are {title, cell(row), number: to the right, class: of the cells}. */
export function table(columns, rows, {caption, rowClass} = {}) {
  return h("div.scroll", {tabindex: "0", role: "region", "aria-label": caption},
    h("table",
      h("thead", h("tr", columns.map((each) => h(each.number ? "th.number" : "th", {scope: "col"}, each.title)))),
      h("tbody", rows.map((row) => h("tr", {class: rowClass?.(row)},
        columns.map((each) => h("td", {class: [each.number && "number", each.class].filter(Boolean).join(" ") || null}, each.cell(row))))))));
}

/** Steps through pages of `size`: newest first; `go(page)`. */
export function pager(page, size, total, go) {
  const pages = Math.max(1, Math.ceil(total / size));
  const from = total ? page * size + 1 : 0;
  const button = (label, target, title) => h("button.quiet.small",
    {type: "button", title, "aria-label": title, disabled: target < 0 || target >= pages || target === page, onclick: () => go(target)}, label);
  return h("div.pager",
    button("⇤", 0, "First page"), button("←", page - 1, "Page before"),
    h("span", `${from.toLocaleString("en")}–${Math.min(total, (page + 1) * size).toLocaleString("en")} of ${total.toLocaleString("en")}`),
    button("→", page + 1, "Next page"), button("⇥", pages - 1, "Last page"));
}

/** What fills a track to that part of it, in the colour of that class. */
export function bar(part, name) {
  const inner = h(`i.${name}`);
  inner.style.width = `${Math.max(0.5, part * 100)}%`;
  return inner;
}
