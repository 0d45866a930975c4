export interface Failure {
  readonly test: string;
  readonly where: string;
  readonly message: string[];
}
export function takeReports(folder: string): { reports: number; passed: number; failures: Failure[] };
