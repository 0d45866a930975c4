/**
 * Makes `requirements.json`: which sentences of RFC 9113 (HTTP/2) and RFC 7541 (HPACK) bind an implementation. Of a sentence it has the place, by
 * RFC, section and number within that ("9113 5.1.1#2"), and the SHA-256 of its text with white space made one space, to notice when a place means
 * another sentence. The text itself is the IETF Trust's, and is not kept here.
 *
 *     node conformance/index-rfcs.mjs [--print] draft-ietf-httpbis-http2bis.xml draft-ietf-httpbis-header-compression.xml
 *
 * Both files are in the public repository httpwg/http2-spec. `--print` shows the sentences and writes nothing.
 *
 * A requirement is a sentence with MUST, MUST NOT, SHALL, SHALL NOT or REQUIRED in capitals. The sentence of each RFC that says what these words
 * mean (BCP 14) is none, though it has them all.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { sentencesOf } from './sections.mjs';
import { parse } from './xml.mjs';

/** Not within names such as HTTP_1_1_REQUIRED. */
const binding = /(?<![A-Z0-9_])(?:MUST|SHALL|REQUIRED)(?![A-Z0-9_])/;
const definesWords = /^The key words\b/;

const rfcs = [9113, 7541];

/** @returns the requirements of a document, with their texts */
function requirementsOf(rfc, file) {
  return sentencesOf(parse(readFileSync(file, 'utf8'))).flatMap(({ section, sentences }) =>
    sentences
      .filter((text) => binding.test(text) && !definesWords.test(text))
      .map((text, at) => ({ rfc, section, ordinal: at + 1, text })),
  );
}

const sha256 = (text) => createHash('sha256').update(text).digest('hex');

const args = process.argv.slice(2);
const files = args.filter((arg) => arg !== '--print');
if (files.length !== rfcs.length) {
  console.error(`give me the XML of ${rfcs.map((rfc) => `RFC ${rfc}`).join(' and of ')}, in this order`);
  process.exit(2);
}
const all = rfcs.flatMap((rfc, at) => requirementsOf(rfc, files[at]));
const idOf = ({ rfc, section, ordinal }) => `${rfc} ${section}#${ordinal}`;

if (args.includes('--print')) {
  for (const each of all) console.log(`${idOf(each)}  ${each.text}`);
} else {
  const hashes = Object.fromEntries(all.map((each) => [idOf(each), sha256(each.text)]));
  writeFileSync(new URL('requirements.json', import.meta.url), `${JSON.stringify(hashes, null, 2)}\n`);
}
