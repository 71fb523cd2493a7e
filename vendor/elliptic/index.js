'use strict';
// secp256k1 falls back to this package when its native addon is missing. Keepwatch never signs in JavaScript
// (keys would lie on the heap), so the fallback is an error instead of a slower signature.
throw new Error('elliptic is not part of Keepwatch: the native secp256k1 addon is missing for this platform');
