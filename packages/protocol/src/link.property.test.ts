import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLinkDecoder, encodeLinkFrames, LINK_HEADER_BYTES, type LinkFrame } from './link.ts';

const MAX_PAYLOAD = 512;

const frame: fc.Arbitrary<LinkFrame> = fc.oneof(
  fc.record({
    type: fc.constantFrom('open' as const, 'data' as const, 'close' as const, 'authenticated' as const),
    connection: fc.integer({ min: 1, max: 0xffff_ffff }),
    payload: fc.uint8Array({ maxLength: MAX_PAYLOAD }),
  }),
  fc.record({
    type: fc.constant('control' as const),
    connection: fc.constant(0),
    payload: fc.uint8Array({ maxLength: MAX_PAYLOAD }),
  }),
);

/** Cuts the stream at arbitrary places, empty pieces included. */
function cut(stream: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = cuts.map((c) => c % (stream.length + 1)).sort((a, b) => a - b);
  return [0, ...places].map((from, i) => stream.subarray(from, places[i] ?? stream.length));
}

/** The plainest reading of the format, as an oracle: everything at once, by DataView. */
function readPlainly(stream: Uint8Array): { frames: LinkFrame[]; error: string | undefined } {
  const names = ['open', 'data', 'close', 'control', 'authenticated'] as const;
  const view = new DataView(stream.buffer, stream.byteOffset, stream.byteLength);
  const frames: LinkFrame[] = [];
  for (let at = 0; at + LINK_HEADER_BYTES <= stream.length;) {
    const length = view.getUint32(at);
    const type = names[view.getUint8(at + 4) - 1];
    const connection = view.getUint32(at + 5);
    if (!type || (type === 'control') !== (connection === 0)) return { frames, error: 'link_frame_unknown' };
    if (length > MAX_PAYLOAD) return { frames, error: 'link_frame_too_large' };
    if (at + LINK_HEADER_BYTES + length > stream.length) break;
    frames.push({ type, connection, payload: stream.slice(at + LINK_HEADER_BYTES, at + LINK_HEADER_BYTES + length) });
    at += LINK_HEADER_BYTES + length;
  }
  return { frames, error: undefined };
}

function decodePieces(pieces: readonly Uint8Array[]): { frames: LinkFrame[]; error: string | undefined } {
  const frames: LinkFrame[] = [];
  const decoder = createLinkDecoder({ maxPayload: MAX_PAYLOAD });
  let error: string | undefined;
  for (const piece of pieces) {
    const result = decoder.push(piece, (f) => frames.push({ ...f, payload: f.payload.slice() }));
    if (!result.ok) error = result.error;
  }
  return { frames, error };
}

describe('link framing', () => {
  it('brings every frame over, however the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 12 }), fc.array(fc.nat(), { maxLength: 40 }), (frames, cuts) => {
        const stream = encodeLinkFrames(frames);
        expect(decodePieces(cut(stream, cuts))).toEqual({ frames, error: undefined });
      }),
    );
  });

  it('brings every frame over byte by byte', () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 4 }), (frames) => {
        const stream = encodeLinkFrames(frames);
        const single = Array.from(stream, (_, i) => stream.subarray(i, i + 1));
        expect(decodePieces(single)).toEqual({ frames, error: undefined });
      }),
      { numRuns: 30 },
    );
  });

  it('agrees with the plain reading on mutated streams, and never throws', () => {
    const mutation = fc.record({ at: fc.nat(), value: fc.integer({ min: 0, max: 255 }) });
    fc.assert(
      fc.property(
        fc.array(frame, { minLength: 1, maxLength: 6 }),
        fc.array(mutation, { minLength: 1, maxLength: 8 }),
        fc.array(fc.nat(), { maxLength: 10 }),
        (frames, mutations, cuts) => {
          const stream = encodeLinkFrames(frames);
          // Half of the hits go to the first header, where they matter most.
          for (const [i, { at, value }] of mutations.entries()) {
            stream[at % (i % 2 ? stream.length : LINK_HEADER_BYTES)] = value;
          }
          expect(decodePieces(cut(stream, cuts))).toEqual(readPlainly(stream));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('agrees with the plain reading on noise', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.array(fc.nat(), { maxLength: 10 }), (noise, cuts) => {
        expect(decodePieces(cut(noise, cuts))).toEqual(readPlainly(noise));
      }),
      { numRuns: 500 },
    );
  });
});
