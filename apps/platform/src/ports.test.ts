import { describe, expect, it } from 'vitest';
import { namedPorts, portTable } from './ports.ts';

describe('ports', () => {
  it('are those of the table in docs/architecture.md', () => {
    expect(portTable(0, 2)).toEqual({
      router: { port: 8001, metricsPort: 8002, adminPort: 8003 },
      registry: { port: 8101, metricsPort: 8102, adminPort: 8103 },
      feedback: { port: 8111, metricsPort: 8112, adminPort: 8113 },
      runtimes: [
        { port: 8011, metricsPort: 8012, adminPort: 8013 },
        { port: 8021, metricsPort: 8022, adminPort: 8023 },
      ],
      postgres: 8154,
    });
  });

  it('move up together and never meet', () => {
    const moved = namedPorts(portTable(1000, 8)).map(([port]) => port);
    expect(Math.min(...moved)).toBe(9001);
    expect(new Set(moved).size).toBe(3 * 11 + 1);
  });
});
