import { answerFrames } from '../stand-in.ts';

// What a request costs on its way there and back.
answerFrames(() => undefined);
