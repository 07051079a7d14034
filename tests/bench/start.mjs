// start.mjs - from the exec of `goodness serve` to its first answer, beside libmicrohttpd alone, and to its first trained step,
// from an empty state folder. In turns; best and median.
//
//     node tests/bench/start.mjs [TIMES]      (default 5)

import { listen, main, median, print, program, request, startDaemon, trained, writeData } from './support.mjs';

async function untilAnswer(server) {
    const { status } = await request(server.base, 'GET', '/healthz');
    if (status !== 200)
        throw new Error(`/healthz was answered with ${status}`);
    return performance.now() - server.begin;
}

const show = (times) => `${Math.min(...times).toFixed(0)} ms best, ${median(times).toFixed(0)} ms`;

await main(async () => {
    const times = Number(process.argv[2] ?? 5), answer = [], bare = [], step = [];
    const data = await writeData();
    for (let time = 0; time < times; time++) {
        const yardstick = await listen(program('bare'), ['16']);
        bare.push(await untilAnswer(yardstick));
        await yardstick.stop();

        const idle = await startDaemon(data);
        answer.push(await untilAnswer(idle));
        await idle.stop();

        const training = await startDaemon(data, ['--start', 'default']);
        await trained(training.base, 1, 1);
        step.push(performance.now() - training.begin);
        await training.stop();
    }
    print('exec to the first answer', show(answer), `bare libmicrohttpd ${show(bare)}   ${(median(answer) / median(bare)).toFixed(2)} times it`,
        '50 ms');
    print('exec to the first step, 60,000 images read', show(step), `the first answer ${show(answer)}`, '1000 ms');
});
