// http.mjs - requests answered a second, beside libmicrohttpd with the same options and a handler that only answers with as
// many bytes. wrk asks both in turns; the best of the rounds counts.
//
//     node tests/bench/http.mjs [ROUNDS]      (default 4, a second each)

import { figure, json, listen, main, print, program, request, run, startDaemon, writeData } from './support.mjs';

const CONNECTIONS = 16;

async function requestsPerSecond(url) {
    const { stdout } = await run('wrk', ['-t1', `-c${CONNECTIONS}`, '-d1s', url]);
    const bad = /Non-2xx or 3xx responses: (\d+)/.exec(stdout);
    if (bad)
        throw new Error(`${url}: ${bad[1]} requests were not answered with success`);
    return Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)[1]);
}

/** The best of the rounds for both, in turns. */
async function inTurns(first, second, rounds) {
    let best = [0, 0];
    for (let round = 0; round < rounds; round++)
        best = [Math.max(best[0], await requestsPerSecond(first)), Math.max(best[1], await requestsPerSecond(second))];
    return best;
}

await main(async () => {
    const rounds = Number(process.argv[2] ?? 4);
    const daemon = await startDaemon(await writeData());
    const { id } = await json(daemon.base, 'POST', '/api/v1/runs', {
        config: { layers: [50, 50], epochs: 1, train_limit: 1000, test_limit: 500 },
    });
    await json(daemon.base, 'GET', `/api/v1/runs/${id}?wait=60`);
    for (const path of ['/healthz', `/api/v1/runs/${id}`]) {
        const { text } = await request(daemon.base, 'GET', path);
        const bare = await listen(program('bare'), [String(Buffer.byteLength(text))]);
        const [ours, theirs] = await inTurns(daemon.base + path, `${bare.base}/`, rounds);
        print(`GET ${path}, ${CONNECTIONS} connections, ${Buffer.byteLength(text)} bytes`, `${figure(ours)} /s`,
            `bare libmicrohttpd ${figure(theirs)} /s   ${(ours / theirs).toFixed(3)} of it`, '0.7');
        await bare.stop();
    }
});
