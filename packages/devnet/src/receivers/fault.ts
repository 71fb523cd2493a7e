/**
 * How a service can fail: it refuses connections; takes the request and never answers; answers that it failed (500);
 * asks for less (429 with Retry-After: 1); shows a certificate that nobody trusts; or takes its time.
 */
export type ChannelFault = 'refused' | 'hung' | 'error' | 'busy' | 'tls' | 'slow';

export interface FaultyService {
  /** `null`: it is well. */
  fail(fault: ChannelFault | null): Promise<void>;
  stop(): Promise<void>;
}
