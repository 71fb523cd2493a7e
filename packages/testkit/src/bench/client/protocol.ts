/** What the benchmark tells its client process, and what it hears back: one message each way. */
export interface Seat {
  /** The client's key, 32 bytes in base64url. */
  readonly seed: string;
  readonly wallet: string;
  readonly address: string;
}

export type ClientOrder =
  /** One connection for each seat; they stay open. */
  | { readonly do: 'connect'; readonly connectionString: string; readonly seats: readonly Seat[] }
  /** Keeps `inFlight` requests on their way, spread evenly over the connections, for `ms`. */
  | { readonly do: 'sign'; readonly inFlight: number; readonly ms: number }
  /** Sends frames of `bytes` through an edge whose keep echoes them, one at a time. */
  | { readonly do: 'echo'; readonly port: number; readonly bytes: number; readonly ms: number }
  | { readonly do: 'end' };

export interface ClientReport {
  readonly perSecond: number;
  /** Of one request, ms. */
  readonly medianMs: number;
  readonly error?: string;
}
