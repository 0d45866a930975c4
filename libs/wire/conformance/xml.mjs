/**
 * Reads the little of XML that RFC sources are written in: elements, attributes, text, comments, CDATA, and the five entities that every document
 * has. Nothing is fetched, and a document type is skipped: RFC sources only name one.
 */

const entities = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** What begins with `<`, or is text. */
const tokens = /<!--[^]*?-->|<\?[^]*?\?>|<!\[CDATA\[([^]*?)\]\]>|<!DOCTYPE[^[>]*(?:\[[^\]]*\])?\s*>|<[^>]+>|[^<]+/g;

/**
 * @typedef {{ name: string, attributes: Record<string, string>, children: Node[] }} Element
 * @typedef {Element | string} Node
 */

/** @param {string} source @returns {Element} the outermost element */
export function parse(source) {
  /** @type {Element} */
  const top = { name: '', attributes: {}, children: [] };
  const open = [top];
  for (const [token, cdata] of source.matchAll(tokens)) {
    const parent = open.at(-1);
    if (cdata !== undefined) parent.children.push(cdata);
    else if (!token.startsWith('<')) parent.children.push(decode(token));
    else if (token.startsWith('</')) {
      const name = token.slice(2, -1).trim();
      if (parent.name !== name) throw new Error(`</${name}> where <${parent.name}> is open`);
      open.pop();
    } else if (!token.startsWith('<!') && !token.startsWith('<?')) {
      const element = elementOf(token);
      parent.children.push(element);
      if (!token.endsWith('/>')) open.push(element);
    }
  }
  if (open.length > 1) throw new Error(`<${open.at(-1).name}> is never closed`);
  return top.children.find((child) => typeof child !== 'string');
}

function elementOf(tag) {
  const attributes = {};
  for (const [, name, double, single] of tag.matchAll(/([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g))
    attributes[name] = decode(double ?? single);
  return { name: /^<([\w:.-]+)/.exec(tag)[1], attributes, children: [] };
}

const decode = (text) =>
  text.replace(/&(#x?)?(\w+);/g, (whole, numeric, name) => {
    if (numeric !== undefined) return String.fromCodePoint(parseInt(name, numeric === '#x' ? 16 : 10));
    if (!(name in entities)) throw new Error(`${whole} is no entity of every document`);
    return entities[name];
  });
