import { WorkerHost, type ThreadRegister } from '../runtime/worker-host.ts';

/** The threads of a runtime's sessions. One that several share ends with its last session, and then there is a new one. */
export class VersionThreads {
  readonly #register: ThreadRegister;
  readonly #shared = new Map<string, WorkerHost>();

  /** @param register where crashes of all of them are written down */
  constructor(register: ThreadRegister) {
    this.#register = register;
  }

  /** One that nobody else has. */
  own(): WorkerHost {
    return new WorkerHost(this.#register);
  }

  /** That of the small, quick versions. */
  ofSmall(): WorkerHost {
    return this.#known('small');
  }

  /** That of the versions that may have ended this runtime. */
  ofSuspects(): WorkerHost {
    return this.#known('suspects');
  }

  /** That of all sessions on a device that is for one thread at a time. */
  ofDevice(device: string): WorkerHost {
    return this.#known(`device ${device}`);
  }

  #known(name: string): WorkerHost {
    const known = this.#shared.get(name);
    if (known?.alive) return known;
    const made = this.own();
    this.#shared.set(name, made);
    return made;
  }
}
