import { checkText } from '@sluice/domain/text';
import { isWatch, watch } from '@sluice/rpc/handlers';

/** Texts of other programs, which are kept whatever is in them: a runtime or a pipeline must be able to say why it failed, and what it lacks. */
const kept = new Set(['reason', 'detail', 'error']);

type Handle = (request: unknown, context: never) => unknown;

/** The handlers, refusing requests with text that cannot be stored before anything looks at it. Streams pass. */
export function checkingTexts<Methods extends object>(handlers: Methods): Methods {
  const checked = Object.entries(handlers).map(([name, handler]: [string, unknown]) => {
    if (typeof handler === 'function') return [name, checking(handler as Handle)];
    return [name, isWatch(handler) ? watch(checking(handler.watch as Handle) as typeof handler.watch) : handler];
  });
  return Object.fromEntries(checked) as Methods;
}

const checking =
  (handle: Handle): Handle =>
  (request, context) => {
    checkTexts(request, '');
    return handle(request, context);
  };

/** @throws SluiceError invalid-argument naming the field as the contract does */
function checkTexts(value: unknown, field: string): void {
  if (typeof value === 'string') checkText(value, field);
  else if (Array.isArray(value)) value.forEach((item, index) => checkTexts(item, `${field}[${index}]`));
  else if (typeof value === 'object' && value !== null && isMessage(value)) {
    for (const [key, inner] of Object.entries(value)) {
      if (kept.has(key)) continue;
      checkTexts(inner, `${field}${field && '.'}${key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`);
    }
  }
}

const isMessage = (value: object): boolean => !ArrayBuffer.isView(value) && !(Symbol.asyncIterator in value);
