import { invalidArgument } from '@sluice/domain/errors';
import { clip } from '@sluice/domain/names';

/**
 * Checks the repository that a RepositoryIndex is of: there is one, and it has no name. Triton answers UNIMPLEMENTED to
 * any other; here it is the caller's mistake.
 * @throws SluiceError invalid-argument for any name
 */
export function checkRepositoryName(name: string): void {
  if (name === '') return;
  throw invalidArgument(
    `repository_name: expected nothing, got "${clip(name)}": there is one repository, and it has no name`,
  );
}
