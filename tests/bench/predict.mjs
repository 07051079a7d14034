// predict.mjs - one image under every label: the time to its answer while the run is paused and while it trains, beside
// /healthz on the same connection; and what a steady stream of such questions costs the training. In turns.
//
//     node tests/bench/predict.mjs [ROUNDS] [QUESTIONS A SECOND]      (default 5 and 20)

import { figure, json, main, median, pause, print, quantile, request, startDaemon, startTraining, trainingRate, writeData } from './support.mjs';

async function timed(base, method, where, body) {
    const begin = performance.now();
    const { status, text } = await request(base, method, where, body);
    const end = performance.now();
    if (status !== 200)
        throw new Error(`${method} ${where} was answered with ${status}: ${text.trim()}`);
    return end - begin;
}

/** Milliseconds that each of `count` questions took, one after the other. */
async function latencies(count, ask) {
    const all = [];
    for (let i = 0; i < count; i++)
        all.push(await ask(i));
    return all;
}

/** Ask so often a second until told to end; resolves to all the latencies. */
async function steadily(perSecond, ask, signal) {
    const all = [];
    while (!signal.aborted) {
        const next = pause(1000 / perSecond);
        all.push(await ask(all.length));
        await next;
    }
    return all;
}

async function whilePredicting(base, id, perSecond, ask, latency) {
    const end = new AbortController();
    const questions = steadily(perSecond, ask, end.signal);
    const rate = await trainingRate(base, id, 2000);
    end.abort();
    latency.push(...await questions);
    return rate;
}

const show = (times) => `${median(times).toFixed(2)} ms median, ${quantile(times, 0.99).toFixed(2)} ms p99`;

/** At rest, while it trains, and what it costs, at one batch size. A consistent answer waits for the step under way, so the time
 * of a step is said beside it. */
async function measure(base, batch, rounds, perSecond) {
    const name = `784-4x500, batch ${batch}`;
    const id = await startTraining(base, { layers: [500, 500, 500, 500], batch_size: batch, optimizer: 'momentum' });
    const predict = (i) => timed(base, 'POST', `/api/v1/runs/${id}/predict`, { sample: i });
    const health = () => timed(base, 'GET', '/healthz');
    const alone = [], beside = [], training = [];
    await latencies(10, predict);
    for (let round = 0; round < rounds; round++) {
        alone.push(await trainingRate(base, id, 2000));
        beside.push(await whilePredicting(base, id, perSecond, predict, training));
    }
    const healthTraining = await latencies(100, health);
    let run = await json(base, 'POST', `/api/v1/runs/${id}/pause`);
    while (run.state !== 'paused') {
        await pause(1);
        run = await json(base, 'GET', `/api/v1/runs/${id}`);
    }
    await latencies(10, predict);
    const rest = await latencies(200, predict), healthRest = await latencies(200, health);
    print(`a prediction at rest, ${name}`, show(rest), `/healthz ${show(healthRest)}   ${(median(rest) / median(healthRest)).toFixed(2)} times it`);
    print(`a prediction while it trains, ${name}`, show(training), `/healthz ${show(healthTraining)}   ${(median(training) / median(healthTraining)).toFixed(2)} times it; ` +
        `a step takes ${(1000 * batch / median(alone)).toFixed(2)} ms`, '2 ms');
    print(`${name}, training with ${perSecond} predictions a second`, `${figure(median(beside))} images/s`,
        `without ${figure(median(alone))} images/s   ${median(beside.map((rate, i) => rate / alone[i])).toFixed(3)} of it`, '0.97');
    await json(base, 'POST', `/api/v1/runs/${id}/stop`);
    await json(base, 'GET', `/api/v1/runs/${id}?wait=60`);
}

await main(async () => {
    const rounds = Number(process.argv[2] ?? 5), perSecond = Number(process.argv[3] ?? 20);
    const { base } = await startDaemon(await writeData());
    for (const batch of [20, 100])
        await measure(base, batch, rounds, perSecond);
});
