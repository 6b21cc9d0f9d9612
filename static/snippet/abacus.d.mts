/** One experiment in which this visitor was seen. */
export interface Exposure {
  experiment: string;
  variant: string;
  phase: number;
}

/** What pages call; also the one global, `abacus`. */
export interface Abacus {
  /** The variant on show, the control for visitors who take no part; undefined: no such experiment. Asking counts as
      seeing where the experiment has no element of its own. */
  variant(experiment: string): string | undefined;
  /** The visitor reached this goal, in every experiment that declares it. `value`: where the goal carries values, such
      as an order's amount: 49.9 or "49.90"; negative for a refund. */
  goal(name: string, value?: number | string): void;
  /** Calls back for each experiment in which this visitor is seen from now on. */
  on(type: "exposure", listener: (exposure: Exposure) => void): void;
  /** Resolves once variants are on show. */
  ready: Promise<void>;
  /** What the manifest gives along with the variant on show. There only if some experiment has payloads. */
  payload?(experiment: string): unknown;
  /** Agreement given or taken back. There only if the site asks for consent, or honours Global Privacy Control. */
  consent?(given: boolean): void;
}

/** The content of /ab.json. */
export interface Site {
  experiments: unknown[];
  goals: Record<string, string[]>;
  /** experiment:goal of each goal that carries values. */
  valued?: string[];
  segmented?: Record<string, string[]>;
}

export interface Options {
  /** Your own id for a visitor who is signed in: 1-128 characters of A-Z a-z 0-9 _ . : - */
  visitor?: string;
  /** What conditions in the manifest ask for. */
  attributes?: Record<string, unknown>;
  /** The origin where ABacus is served, if it is not the page's. */
  src?: string;
}

/** `patience`: ms after which it starts without experiments, as where /ab.json cannot be read; 2000 unless told. */
export function load(origin?: string, options?: Options & { patience?: number }): Promise<Abacus>;
export function start(site: Site, options?: Options): Promise<Abacus>;

declare global {
  interface Window {
    abacus?: Abacus;
  }
}
