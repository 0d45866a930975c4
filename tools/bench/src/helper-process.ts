import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

/** A program of the bench in a process of its own. */
export interface HelperProcess {
  readonly pid: number;
  /** At which it serves; 0 for one that serves nothing. */
  readonly port: number;
  /** Asks it something, which it answers by one message. @throws Error when it ends instead */
  ask(question: string | object): Promise<unknown>;
  /** It ends by itself when nobody is at the other end. */
  stop(): void;
}

/** Starts a program of this folder, which says at which port it serves. @throws Error when it ends before that */
export async function startHelper(program: string, argv: readonly string[] = []): Promise<HelperProcess> {
  const child = fork(path.join(import.meta.dirname, program), argv, { execArgv: ['--conditions=@sluice/source'] });
  const ended = once(child, 'exit').then(() => {
    throw new Error(`${program} has ended`);
  });
  ended.catch(() => undefined);
  const nextMessage = async (): Promise<unknown> => {
    const [message] = (await Promise.race([once(child, 'message'), ended])) as [unknown];
    return message;
  };
  const { port } = (await nextMessage()) as { port: number };
  return {
    ...{ pid: child.pid!, port },
    ask: async (question) => {
      const answer = nextMessage();
      child.send(question);
      return answer;
    },
    stop: () => {
      if (child.connected) child.disconnect();
    },
  };
}
