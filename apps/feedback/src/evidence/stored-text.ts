import { storableText } from '@sluice/domain/text';
import { maxTextBytes } from '@sluice/evidence/layout';

/** A text of a caller as records have it: NUL and what is no Unicode become U+FFFD, and it is cut off at a character's end. */
export function storedText(text: string): string {
  const storable = storableText(text);
  if (Buffer.byteLength(storable) <= maxTextBytes) return storable;
  const bytes = Buffer.allocUnsafe(maxTextBytes);
  return bytes.toString('utf8', 0, bytes.write(storable, 'utf8'));
}
