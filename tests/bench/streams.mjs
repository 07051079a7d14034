// streams.mjs - training while nobody watches, and with 1, 10, 100 and 500 readers of the run's events; and how many requests
// about the run are answered a second meanwhile. In turns; the median of the rounds. Readers and askers work on the same
// processors as the training that they watch.
//
//     node tests/bench/streams.mjs [ROUNDS]      (default 5)

import { once } from 'node:events';
import net from 'node:net';

import { figure, json, main, median, pause, print, startDaemon, startTraining, trainingRate, writeData } from './support.mjs';

const READERS = [0, 1, 10, 100, 500];
const SECONDS = 3; /* that training is watched in a turn */

/** A reader that takes the stream as cheaply as one can; { received, close }. */
async function openReader(base, id) {
    const { hostname, port } = new URL(base);
    const socket = net.connect(Number(port), hostname);
    await once(socket, 'connect');
    const reader = { received: 0, close: () => socket.destroy() };
    socket.on('error', () => {});
    socket.write(`GET /api/v1/runs/${id}/events HTTP/1.1\r\nHost: ${hostname}:${port}\r\n\r\n`);
    const [head] = await once(socket, 'data');
    if (!head.toString('latin1').startsWith('HTTP/1.1 200'))
        throw new Error(`the stream was answered with ${head.toString('latin1').split('\r\n')[0]}`);
    socket.on('data', (data) => { reader.received += data.length; });
    return reader;
}

/** Requests for the run that one connection gets answered in a second. */
async function requestsPerSecond(base, id) {
    const begin = performance.now();
    let count = 0;
    for (; performance.now() - begin < 500; count++)
        await json(base, 'GET', `/api/v1/runs/${id}`);
    return count * 1000 / (performance.now() - begin);
}

async function watched(base, id, count) {
    const readers = await Promise.all(Array.from({ length: count }, () => openReader(base, id)));
    await pause(1000); /* what opening them cost is over */
    const before = readers.map((reader) => reader.received);
    const rate = await trainingRate(base, id, 1000 * SECONDS);
    const received = readers.map((reader, i) => reader.received - before[i]);
    if (received.some((bytes) => bytes === 0))
        throw new Error('a reader got nothing');
    const asked = await requestsPerSecond(base, id);
    readers.forEach((reader) => reader.close());
    return { rate, received: Math.min(...received) / SECONDS, asked };
}

await main(async () => {
    const rounds = Number(process.argv[2] ?? 5);
    const { base } = await startDaemon(await writeData());
    const id = await startTraining(base, { layers: [500, 500], batch_size: 128, optimizer: 'momentum' });
    const measured = READERS.map(() => []);
    for (let round = 0; round < rounds; round++)
        for (const [i, count] of READERS.entries())
            measured[i].push(await watched(base, id, count));
    const unwatched = median(measured[0].map(({ rate }) => rate));
    const alone = median(measured[0].map(({ asked }) => asked));
    print('784-500-500, batch 128, training unwatched', `${figure(unwatched)} images/s`, `${figure(alone)} requests/s`);
    for (const [i, count] of READERS.entries()) {
        if (count === 0)
            continue;
        /* Each turn beside the unwatched one of the same round: the machine changes between rounds. */
        const ratio = median(measured[i].map(({ rate }, round) => rate / measured[0][round].rate));
        print(`  with ${count} reader${count === 1 ? '' : 's'} (${figure(median(measured[i].map(({ received }) => received)) / 1000)} kB/s each)`,
            `${figure(median(measured[i].map(({ rate }) => rate)))} images/s`,
            `${ratio.toFixed(3)} of unwatched, ${figure(median(measured[i].map(({ asked }) => asked)))} requests/s`, '0.95');
    }
});
