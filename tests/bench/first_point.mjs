// first_point.mjs - seconds from ./server/start (everything built before) to the page's first drawn point, training from
// nothing, in Chromium.
//
//     node tests/bench/first_point.mjs [TIMES]

import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { chromium } from 'playwright-core';

const top = path.resolve(import.meta.dirname, '../..');
const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
        '--disable-component-update', '--disable-sync'],
});

for (let time = 0; time < Number(process.argv[2] ?? 3); time++) {
    const state = await mkdtemp(path.join(os.tmpdir(), 'goodness-bench-'));
    const page = await browser.newPage();
    const begin = performance.now();
    const server = spawn(path.join(top, 'server/start'), ['--port', '0', '--state', state], { stdio: ['ignore', 'pipe', 'ignore'] });
    const line = await new Promise((resolve) => server.stdout.once('data', (data) => resolve(String(data))));
    const listening = performance.now();
    await page.goto(line.trim().split(' ').at(-1));
    await page.waitForFunction(() => window.goodness?.points?.steps?.length > 0);
    const drawn = performance.now();
    const seconds = (from, to) => ((to - from) / 1000).toFixed(2);
    console.log(`start to listening ${seconds(begin, listening)} s, listening to the first drawn point ${seconds(listening, drawn)} s, ` +
        `together ${seconds(begin, drawn)} s`);
    await page.close();
    server.kill('SIGTERM');
    await new Promise((resolve) => server.once('exit', resolve));
    await rm(state, { recursive: true });
}
await browser.close();
