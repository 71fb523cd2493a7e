import { once } from 'node:events';
import { connect } from 'node:net';

/** Asks a Tor on loopback for one of its lists (control-spec, GETINFO). Its port takes everybody who is on this machine. */
export async function askControl(port: number, what: string): Promise<readonly string[]> {
  const socket = connect({ host: '127.0.0.1', port });
  try {
    await once(socket, 'connect');
    socket.write(`AUTHENTICATE\r\nGETINFO ${what}\r\nQUIT\r\n`);
    let text = '';
    for await (const chunk of socket) text += (chunk as Buffer).toString();
    const many = new RegExp(`^250\\+${what}=\\r\\n([^]*?)\\r\\n\\.\\r\\n`, 'm').exec(text);
    const one = new RegExp(`^250-${what}=(.*)\\r\\n`, 'm').exec(text);
    if (!many && !one) throw new Error(`tor did not say its ${what}: ${text}`);
    return (many?.[1] ?? one![1]!).split('\r\n').filter((line) => line !== '');
  } finally {
    socket.destroy();
  }
}
