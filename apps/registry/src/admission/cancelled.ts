import { SluiceError } from '@sluice/domain/errors';

/** What an admission that somebody stopped ends with. */
export const cancelled = (): SluiceError => new SluiceError('cancelled', 'the admission was cancelled');
