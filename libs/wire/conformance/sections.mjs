/** The sections of an RFC, numbered as readers know them, and the sentences in each. */

/** Elements within a sentence; all others end one. */
const inline = new Set([
  'xref',
  'bcp14',
  'tt',
  'em',
  'strong',
  'sup',
  'sub',
  'eref',
  'relref',
  'cref',
  'contact',
  'spanx',
]);
/** Drawings, examples and what is said about the document: nobody is bound by them. */
const skipped = new Set(['artwork', 'artset', 'sourcecode', 'name', 'iref', 'references', 'author', 'title', 'figure']);

/**
 * Numbers come from the nesting: in `<middle>` 1, 1.1 …, in `<back>` the appendices A, A.1 …. References have a number of their own behind the
 * last section, and sections that say so have none.
 * @returns {Map<import('./xml.mjs').Element, string>}
 */
export function numbersOf(rfc) {
  const numbers = new Map();
  const number = (parent, prefix, name) => {
    let at = 0;
    for (const child of parent.children) {
      if (child.name !== 'section' || child.attributes.numbered === 'false') continue;
      const own = prefix === '' ? name(++at) : `${prefix}.${++at}`;
      numbers.set(child, own);
      number(child, own, name);
    }
  };
  number(child(rfc, 'middle'), '', String);
  number(child(rfc, 'back'), '', (at) => String.fromCharCode(64 + at));
  return numbers;
}

const child = (element, name) => element.children.find((each) => each.name === name);

/**
 * The sentences of each section, in their order. What stands in a list, a table or a definition is a text of its own: no sentence goes from one
 * to the next, and what leads to a list is a sentence that ends with a colon.
 * @returns {{ section: string, sentences: string[] }[]}
 */
export function sentencesOf(rfc) {
  const numbers = numbersOf(rfc);
  const places = new Map();
  for (const [element, number] of numbers)
    if (element.attributes.anchor !== undefined) places.set(element.attributes.anchor, number);
  return [...numbers].map(([element, section]) => ({
    section,
    sentences: textsIn(element, places).flatMap(splitSentences),
  }));
}

/** The texts that stand in an element and in no section within it. */
function textsIn(element, places) {
  const texts = [];
  let current = '';
  const end = () => {
    const text = current.replace(/\s+/g, ' ').trim();
    if (text !== '') texts.push(text);
    current = '';
  };
  const walk = (node) => {
    if (typeof node === 'string') current += node;
    else if (inline.has(node.name)) {
      const before = current;
      if (node.name === 'sup') current += '^';
      node.children.forEach(walk);
      if (node.name === 'xref' && current === before) current += reference(node, places);
    } else if (node.name === 'br') current += ' ';
    else {
      end();
      if (node.name !== 'section' && !skipped.has(node.name)) node.children.forEach(walk);
      end();
    }
  };
  element.children.forEach(walk);
  end();
  return texts;
}

/** As it is printed, more or less: enough to tell sentences apart, and never a place where one would end. */
function reference({ attributes: { target, section } }, places) {
  const place = places.get(target);
  if (place !== undefined) return `Section ${place}`;
  return section === undefined ? `[${target}]` : `Section ${section} of [${target}]`;
}

/** Behind these a full stop ends no sentence. */
const abbreviation = /(?:^|[\s(["'])(?:e\.g|i\.e|cf|vs|viz|al|etc|No|Sec|Fig)\.$/;
/** An end, and whatever closes behind it. */
const ends = /[.!?]["')\]]*(?=\s)/g;

/** A sentence ends at a full stop before white space and what may begin another: a capital, a digit, or something quoted or in brackets. */
export function splitSentences(text) {
  const sentences = [];
  let start = 0;
  for (const match of text.matchAll(ends)) {
    const end = match.index + match[0].length;
    if (abbreviation.test(text.slice(start, match.index + 1))) continue;
    if (!/^\s+["'([:]?[A-Z0-9"]/.test(text.slice(end))) continue;
    sentences.push(text.slice(start, end).trim());
    start = end;
  }
  const rest = text.slice(start).trim();
  return rest === '' ? sentences : [...sentences, rest];
}
