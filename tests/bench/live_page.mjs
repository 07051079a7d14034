// live_page.mjs - what the open live page costs the browser: an hour's points on it, ten more a second.
//
//     node tests/bench/live_page.mjs [SECONDS]
//
// Prints the first drawn point of a run of the daemon's own, after the page's load (five pages, the median); and, with the events of an
// hour replayed, the work of a frame (the scripts of requestAnimationFrame) at the median and how many took over 16 ms, the share
// of a core that the page's thread and the whole browser took, and the heap at the beginning and at the end.

import { readdir, readFile } from 'node:fs/promises';
import { chromium } from 'playwright-core';
import { memoryOf, Replay } from '../web/replay.mjs';
import { json, main, median, pause, print, startDaemon, writeData } from './support.mjs';

const HOUR = 36000;
const TICKS = 100; /* a second, of /proc; the same on every Linux */
const seconds = Number(process.argv[2] ?? 30);

/** In the page, before its own scripts: how long every frame's callbacks take, and when the first point is drawn. */
function watch() {
    const ask = window.requestAnimationFrame.bind(window);
    window.frames_ = [];
    window.requestAnimationFrame = (callback) =>
        ask((time) => {
            const begin = performance.now();
            callback(time);
            window.frames_.push(performance.now() - begin);
        });
    const look = () => {
        if (window.goodness?.drawn[0]?.[0].length > 0) window.firstDrawn = performance.now();
        else ask(look);
    };
    ask(look);
}

/** Seconds of processor time that the page's main thread took. */
async function threadSeconds(cdp) {
    const { metrics } = await cdp.send('Performance.getMetrics');
    return metrics.find(({ name }) => name === 'TaskDuration').value;
}

/** Seconds of processor time that a process and all that come from it took. */
async function processSeconds(root) {
    const seconds = new Map(), parents = new Map();
    for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)) {
        const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
        const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
        parents.set(pid, Number(fields[1]));
        seconds.set(pid, (Number(fields[11]) + Number(fields[12])) / TICKS);
    }
    const isOf = (pid) => pid === root || (parents.get(pid) > 1 && isOf(parents.get(pid)));
    return [...seconds].filter(([pid]) => isOf(pid)).reduce((sum, [, each]) => sum + each, 0);
}

/** Milliseconds from the page's load event to the first point that it draws of a finished run: the median of five pages. */
async function firstPoint(browser, base) {
    await json(base, 'POST', '/api/v1/runs', { preset: 'quick', config: { layers: [100, 100], epochs: 2 } });
    for (let state = 'queued'; state !== 'finished';)
        ({ state } = await json(base, 'GET', '/api/v1/runs/latest?wait=60'));

    const times = [];
    for (let i = 0; i < 5; i++) {
        const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
        await page.addInitScript(watch);
        await page.goto(base);
        await page.waitForFunction(() => window.firstDrawn);
        times.push(await page.evaluate(() => window.firstDrawn - performance.getEntriesByType('navigation')[0].loadEventEnd));
        await page.close();
    }
    return median(times);
}

await main(async () => {
    const daemon = await startDaemon(await writeData());
    const replay = new Replay(daemon.base, 3 * HOUR);
    const server = await chromium.launchServer({
        executablePath: '/usr/bin/chromium',
        args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
            '--disable-component-update', '--disable-sync'],
    });
    const browser = await chromium.connect(server.wsEndpoint());
    try {
        print('load to the first drawn point', `${(await firstPoint(browser, daemon.base)).toFixed(0)} ms`, '', '300 ms');

        const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
        const cdp = await page.context().newCDPSession(page);

        replay.begin(HOUR);
        await replay.open();
        await page.addInitScript(watch);
        await cdp.send('HeapProfiler.enable');
        await cdp.send('Performance.enable', { timeDomain: 'threadTicks' });
        await page.goto(replay.url);
        await page.waitForFunction(() => window.firstDrawn);

        const before = await memoryOf(cdp), busy = await threadSeconds(cdp),
            all = await processSeconds(server.process().pid), begin = performance.now();
        await page.evaluate(() => { window.frames_.length = 0; });
        for (let i = 1; i <= 10 * seconds; i++) {
            replay.tell(1);
            await pause(Math.max(0, begin + 100 * i - performance.now()));
        }
        const elapsed = (performance.now() - begin) / 1000;
        const share = (await threadSeconds(cdp) - busy) / elapsed;
        const whole = (await processSeconds(server.process().pid) - all) / elapsed;
        const frames = await page.evaluate(() => window.frames_);
        const after = await memoryOf(cdp);

        print('work of a frame, median', `${median(frames).toFixed(1)} ms`, `${frames.length} frames`);
        print('frames over 16 ms', `${frames.filter((each) => each > 16).length}`, `of ${frames.length}`);
        print('share of a core, the page\'s thread', `${(100 * share).toFixed(1)} %`, '', '10 %');
        print('share of a core, all of the browser, drawing without a GPU', `${(100 * whole).toFixed(1)} %`, '');
        print('heap at the beginning and at the end', `${(before.bytes / 1e6).toFixed(2)}, ${(after.bytes / 1e6).toFixed(2)} MB`, '');
    } finally {
        await server.close();
        replay.close();
    }
});
