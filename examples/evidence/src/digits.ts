import { readFile } from 'node:fs/promises';

/** An image of a handwritten digit, and what it is. */
export interface Digit {
  readonly pixels: Float32Array;
  readonly label: string;
}

const pixelsOfOne = 64;

/** @throws Error naming the line that is no digit */
export async function readDigits(file: string): Promise<Digit[]> {
  const [, ...lines] = (await readFile(file, 'utf8')).trim().split('\n');
  if (lines.length === 0) throw new Error(`${file} has no digits`);
  return lines.map((line, index) => {
    const cells = line.split(',').map(Number);
    if (cells.length !== pixelsOfOne + 1 || cells.some((cell) => !Number.isFinite(cell)))
      throw new Error(`${file}, line ${index + 2}: expected ${pixelsOfOne} pixels and the digit, with commas between`);
    return { pixels: Float32Array.from(cells.slice(0, pixelsOfOne)), label: String(cells[pixelsOfOne]) };
  });
}
